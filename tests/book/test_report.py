"""Banner and run report: role, size against the paper's, folds, nothing left out."""

import random

import anndata
import numpy as np
import pytest

from exprml.base.errors import ParameterError, UnknownNameError
from exprml.book import report
from exprml.book.context import Context
from exprml.book.report import Run

PLAN = {"tissues": {"dataset": "gtex-twin", "role": "twin", "hash": "abcdef0123456789ff", "why": ""}}


@pytest.fixture
def twin(monkeypatch):
    from exprml.data import catalogue

    def load(name, **_):
        data = anndata.AnnData(np.zeros((4, 3), dtype=np.float32))
        data.uns["provenance"] = {"title": f"The twin <{name}>"}
        return data

    monkeypatch.setattr(catalogue, "load", load)


@pytest.fixture
def told(project, monkeypatch):
    def tell(**settings):
        settings = {"profile": "smoke", "key": "k" * 64, "plan": PLAN, **settings}
        Context("heil2022/a", **settings).save(project.root / "run.json")
        monkeypatch.setenv("EXPRML_RUN", str(project.root / "run.json"))

    return tell


def test_banner_names_role_profile_and_size_beside_the_papers(project, told, twin, capsys):
    published = project.root / "data/published/results.csv"
    published.parent.mkdir()
    head = "paper_key,item,dataset,task,model,setting,metric,value,spread,spread_kind,source,note\n"
    rows = "".join(
        f"heil2022,Methods,GTEx v8,,,,{metric},{value},,,text,\n"
        for metric, value in (("n_samples", 17382), ("n_genes_kept", 5000), ("n_classes", 31))
    )
    published.write_text(head + rows)
    told(published={"tissues": "GTEx v8"})
    banner = report.start("heil2022/a", seed=3).banner.data
    assert "simulated twin, not real data" in banner
    assert "profile: smoke" in banner
    assert "The twin &lt;gtex-twin&gt;: 4 samples \N{MULTIPLICATION SIGN} 3 genes" in banner
    assert "(the paper: GTEx v8, 17,382 samples \N{MULTIPLICATION SIGN} 5,000 genes)" in banner


def test_the_role_of_data_is_said_where_their_title_does_not_say_it(told, twin):
    told()
    run = report.start("heil2022/a")
    assert run.data_words.endswith(" (4 samples, 3 genes; simulated twin)")
    run.sizes["tissues"] = ("A simulated set", 0, 0)
    assert run.data_words == "A simulated set"
    run.sizes["tissues"] = ("A simulated set", 4, 3)
    assert run.data_words == "A simulated set (4 samples, 3 genes)"


def test_start_seeds_every_generator(told, twin):
    told()
    draws = []
    for _ in range(2):
        report.start("heil2022/a", seed=7)
        draws.append((random.random(), np.random.rand()))  # noqa: NPY002
    assert draws[0] == draws[1]


def test_load_gives_fresh_data_with_its_role(told, twin):
    told()
    run = report.start("heil2022/a")
    first = run.load("tissues")
    first.X[:] = 1
    assert run.load("tissues").X.sum() == 0
    assert first.uns["provenance"]["role"] == "twin"
    with pytest.raises(UnknownNameError, match="did you mean 'tissues'"):
        run.load("tissue")


@pytest.mark.parametrize(
    ("slots", "role"),
    [
        (["paper"], "own"),
        (["paper", "other"], "stand-in"),
        (["recipe", "other", "paper"], "made"),  # by the alphabet it would be "stand-in"
        (["likeness", "recipe"], "twin"),
    ],
)
def test_role_of_several_slots_is_the_one_least_like_the_papers_own(slots, role):
    roles = {"paper": "own", "other": "stand-in", "recipe": "made", "likeness": "twin"}
    run = Run(
        Context("heil2022/a", plan={slot: {**PLAN["tissues"], "role": one} for slot, one in roles.items()})
    )
    assert run.role(*slots) == run.role(*reversed(slots)) == role
    with pytest.raises(UnknownNameError, match="did you mean 'recipe'"):
        run.role("paper", "recipes")


def test_changed_values_are_marked_with_what_they_usually_are(told, twin):
    told(parameters={"n": 2}, changed={"n": 5})
    banner = report.start("heil2022/a").banner.data
    assert "changed by hand" in banner
    assert "n = 2 (usually 5)" in banner


def test_live_kernel_starts_from_profiles_yml(project):
    project.add("heil2022/a", parameters="n: int = 4  # n", threads=2)
    run = report.start("heil2022/a")
    assert (run.profile, run.key, run.parameters, run.threads) == ("default", "live", {"n": 4}, 2)
    assert "live kernel" in run.banner.data
    with pytest.raises(UnknownNameError, match="did you mean 'heil2022/a'"):
        report.start("heil2022/b")


def test_folds_are_counted_by_groups_of_each_test_part(project):
    labels = ["a", "a", "a", "b", "b", "b"]
    groups = [1, 1, 2, 3, 4, 4]
    folds = [(np.array([2, 5]), np.array([0, 1, 3])), (np.array([0, 1, 3]), np.array([2, 4, 5]))]
    run = Run(Context("heil2022/a"))
    table = run.note_folds(labels, groups, folds, name="pairs")
    counted = table.set_index(["fold", "class"])
    assert counted.loc[(0, "a"), ["groups", "samples"]].tolist() == [1, 2]
    assert counted.loc[(0, "b"), ["groups", "samples"]].tolist() == [1, 1]
    assert counted.loc[(1, "b"), ["groups", "samples"]].tolist() == [1, 2]
    assert "pairs" in report.run_report(run, 1.0)


def test_run_report_holds_parameters_data_versions_machine_and_seconds():
    run = Run(Context("heil2022/a", "smoke", {"rate": 0.1}, key="f" * 64, plan=PLAN, threads=2), seed=1)
    text = report.run_report(run, 12.34)
    for part in ("rate", "0.1", "gtex-twin (twin), abcdef0123456789", "numpy", "processor", "12.3", "f" * 16):
        assert part in text


def test_kept_files_lie_beside_the_results_of_their_profile(project, told, twin):
    told()
    kept = report.start("heil2022/a").kept_file("ridge")
    assert kept == project.root / "data/results/smoke/heil2022/a-ridge"
    told(changed={"seed": 0})
    assert report.start("heil2022/a").kept_file("ridge").parts[-3] == "custom"
    with pytest.raises(ParameterError, match="use letters, digits"):
        report.start("heil2022/a").kept_file("../x")
