"""`exprml new perturbation-benchmark`: plates are checked and scored, and the notebook runs."""

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from anndata import AnnData

from exprml.book import results
from exprml.data.formats import write_gctx
from exprml.data.preprocess import plate_scores
from exprml.data.simulate.perturbations import l1000_twin
from exprml_press import cli

TINY = ["epochs=1", "n_trees=3", "n_genes=10", "check_folds=1", "shuffles=1"]
GRAPH = ["graph=regulation-twin", "least_joined=10", "n_genes=30"]
FILE = "data/wells.gctx"
CATALOGUE = Path(__file__).parents[3] / "data" / "catalogue.yml"


def made(level: int = 3, n_lines: int = 2) -> AnnData:
    """Return wells of some lines on two plates each: three mechanisms of three compounds, and DMSO."""
    sizes = {"n_lines": n_lines, "n_mechanisms": 3, "n_compounds": 3, "n_controls": 4}
    wells = l1000_twin(30, level=level, **sizes)
    wells.obs = wells.obs[["perturbagen_id", "plate", "cell_line", "moa"]].astype(str)
    return wells


@pytest.fixture
def here(project, monkeypatch):
    """Stand in an empty project with the wells of `made`, and a catalogue whose RegNetwork cannot be had."""
    monkeypatch.chdir(project.root)
    monkeypatch.delenv("EXPRML_MIRROR", raising=False)
    entries = yaml.safe_load(CATALOGUE.read_text(encoding="utf-8"))
    del entries["regnetwork"]["files"]["edges"]["url"]
    kept = {name: entries[name] for name in ("regnetwork", "regulation-twin")}
    (project.root / "data" / "catalogue.yml").write_text(yaml.safe_dump(kept))
    write_gctx(made(), project.root / FILE)
    return project.root


def ask(*arguments: str) -> int:
    told = ["--expression", FILE, "--label", "moa", "--group", "perturbagen_id", "--folds", "3"]
    return cli.main(["new", "perturbation-benchmark", *told, *arguments])


def run(name: str, *changes: str) -> int:
    return cli.main(["run", name, *(word for one in (*TINY, *changes) for word in ("-p", one))])


def page_of(path: Path) -> str:
    """Return the words of a page, without its tags."""
    return html.unescape(re.sub(r"<.*?>", "", path.read_text(encoding="utf-8")))


def test_it_is_written_with_the_plate_and_runs_between_floor_and_ceiling(here, capsys):
    wells = made()
    wells.var_names = [str(900 + at) for at in range(wells.n_vars)]  # its symbols stand beside
    write_gctx(wells, here / FILE)
    assert ask("--plate", "plate", "--output", "my/p") == 0
    said = capsys.readouterr().out
    assert "robust z-scores of every gene within each of 4 plates" in said
    assert "left out: DMSO, 16 samples, 1 groups: fewer than 3 groups" in said
    cells = json.loads((here / "my" / "p.ipynb").read_text())["cells"]
    assert any("plate: str = 'plate'  #" in "".join(cell["source"]) for cell in cells)
    assert run("my/p", *GRAPH) == 0, capsys.readouterr().out
    table = results.parse_table(here / "my" / "p-changed-results.csv")
    by_experiment = table.groupby("experiment")["setting"].agg(set).to_dict()
    assert by_experiment == {
        "own-comparison": {"whole groups held out"},
        "own-control": {"shuffled labels"},
        "own-ceiling": {"replicate on another plate"},
        "own-graph": {"real graph", "genes exchanged", "no graph"},
        "own-checks": {"single wells", "whole plates held out", "values as read"},
    }
    assert set(table["role"]) == {"reader's own"}
    told = "it joins 30 of your 30 genes; the network sees 30", "Real less genes exchanged"
    page = page_of(here / "my" / "p-changed.html")
    for words in ("Groups on both sides of a fold: 0", "72 of 72 wells have a replicate", *told):
        assert words in page


def test_without_plates_it_says_what_cannot_be_asked(here, capsys):
    assert ask("--output", "my/p") == 0
    assert "warning: no plate was named" in capsys.readouterr().out
    assert run("my/p") == 0, capsys.readouterr().out
    table = results.parse_table(here / "my" / "p-changed-results.csv")
    assert {"own-comparison", "own-control", "own-checks"} == set(table["experiment"])
    page = (here / "my" / "p-changed.html").read_text()
    for words in ("there is no ceiling here", "Not run: whole plates held out", "values as read (they"):
        assert words in page
    why = "regnetwork: "  # its file has no address in this catalogue
    assert f"The graph is left out here: {why}" in page_of(here / "my" / "p-changed.html")


def test_two_plates_are_not_held_out_and_the_page_says_so(here, capsys):
    write_gctx(made(n_lines=1), here / FILE)
    assert ask("--plate", "plate", "--output", "my/p") == 0
    assert run("my/p", "graph=regulation-twin") == 0, capsys.readouterr().out
    page = (here / "my" / "p-changed.html").read_text()
    assert "Not run: whole plates held out (a class stands on one or two plates" in page
    assert "36 of 36 wells have a replicate" in page
    why = "30 of your 30 genes have an edge to another in regulation-twin, fewer than least_joined (100)"
    assert f"The graph is left out here: {why}" in page_of(here / "my" / "p-changed.html")


def test_without_a_gene_in_the_graph_it_is_left_out(here, capsys):
    wells = made()
    wells.var_names = [f"G{at}" for at in range(wells.n_vars)]
    wells.var = wells.var[[]]
    write_gctx(wells, here / FILE)
    assert ask("--plate", "plate", "--output", "my/p") == 0
    assert run("my/p", "graph=regulation-twin") == 0, capsys.readouterr().out
    assert "The graph is left out here: 0 of your 30 genes have" in page_of(here / "my" / "p-changed.html")
    assert "own-graph" not in set(results.parse_table(here / "my" / "p-changed-results.csv")["experiment"])


def test_scores_within_plates_are_not_scored_again(here, capsys):
    write_gctx(made(level=4), here / FILE)
    assert ask("--plate", "plate") == 0
    assert "taken for scores within plates already" in capsys.readouterr().out


def test_plates_of_one_class_are_warned_of(here, capsys):
    assert ask("--plate", "plate", "--label", "cell_line") == 0
    said = capsys.readouterr().out
    assert "every plate holds one class of 'cell_line': scores within plates remove it" in said


def test_wells_are_scored_with_the_controls_of_their_plate():
    from exprml.data import user_files

    wells = made()
    wells.uns["user_files"] = {"notes": [], "warnings": []}
    found = user_files.on_plates(wells.copy(), "moa", "perturbagen_id", "plate")
    assert np.array_equal(found.X, plate_scores(wells.X, wells.obs["plate"]))
    assert np.array_equal(found.layers["as read"], wells.X)


def spoil(here) -> None:
    """Write wells with a compound of two classes, and wells of which one is alone on its plate."""
    crossing, alone = made(), made()
    crossing.obs.iloc[-1, crossing.obs.columns.get_loc("moa")] = "mechanism 1"
    alone.obs.iloc[0, alone.obs.columns.get_loc("plate")] = "P9"
    write_gctx(crossing, here / "data" / "crossing.gctx")
    write_gctx(alone, here / "data" / "alone.gctx")


WRONG = [
    (["--folds", "2"], "--folds 2: at least 3 are needed"),
    (["--plate", "plat"], "unknown plate column 'plat': did you mean 'plate'"),
    (["--label", "mao"], "unknown label column 'mao': did you mean 'moa'"),
    (["--group", ""], "--group is missing: exprml new perturbation-benchmark --expression FILE"),
    (["--expression", "data/crossing.gctx"], "1 of 10 groups of 'perturbagen_id' have several classes"),
    (["--expression", "data/crossing.gctx"], "give each one class, or leave wells out (--exclude)"),
    (["--expression", "data/alone.gctx", "--plate", "plate"], "1 plates of 'plate' have fewer than 3 wells"),
    (["--expression", "data/alone.gctx", "--plate", "plate"], "(--exclude SIM001_MCF7_24H_X1:0"),
    (["--folds", "4"], "has 0 classes with 4 groups; two are needed"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_what_cannot_be_compared_is_refused_and_nothing_written(here, refused, arguments, words):
    spoil(here)
    refused(ask, arguments, words)


def test_other_templates_have_no_plate(here, capsys):
    told = ["--expression", FILE, "--label", "moa", "--plate", "plate"]
    assert cli.main(["new", "tissue-benchmark", *told]) == 1
    assert "--plate has no use in tissue-benchmark" in capsys.readouterr().err
