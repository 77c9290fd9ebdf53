"""The rehearsal of the paper profile: generated files, in a folder apart, that never pass for the book's."""

import shutil

import pytest
import yaml
from matplotlib import pyplot

from exprml.base.files import data_folder, project_root
from exprml.book import context, profiles, results
from exprml.book.figures.page import REHEARSED, stamp
from exprml.data import catalogue
from exprml.data.catalogue import fetching
from exprml_press import cli
from exprml_press import rehearsal as made_files
from exprml_press.rehearsal import landmarks
from exprml_press.runner import rehearsal
from exprml_press.runner.worker import make_order

CATALOGUE = project_root() / "data" / "catalogue.yml"
CODE = (
    "import pandas as pd\nfrom exprml.book import report, results\nrun = report.start('chen2016/a')",
    "rows = pd.DataFrame({'metric': ['n'], 'value': [n + width]})\nresults.write(rows, run, 'one')",
)
GENES = {"default": ["probe-twin"], "paper": ["dgex-geo", "dgex-maps", "probe-twin"]}
ENTRY = {"paper": {"n": 9, "width": 7}, "rehearse": {"n": 2}, "data": {"genes": GENES}}


@pytest.fixture
def book(project, monkeypatch):
    """Return a project with one notebook; of its data only the lists of genes are generated. No network."""
    monkeypatch.setenv("EXPRML_DATA", "restored afterwards")
    monkeypatch.delenv("EXPRML_DATA")
    monkeypatch.setenv("EXPRML_MIRROR", str(project.root))
    monkeypatch.setattr(made_files, "WRITERS", {"dgex-maps": landmarks.write_maps})
    monkeypatch.setattr(fetching, "download", lambda *given, **options: pytest.fail("asked the network"))
    shutil.copyfile(CATALOGUE, project.root / "data" / "catalogue.yml")
    project.add("chen2016/a", *CODE, parameters="n: int = 3  # n\nwidth: int = 1  # width", **ENTRY)
    return project


def test_a_rehearsal_runs_the_papers_values_at_its_sizes_and_lies_apart(book):
    assert cli.main(["build", "--profile", "paper", "--rehearse", "--cores", "1"]) == 0
    page = (book.root / "_build/rehearsal/notebooks/chen2016/a.ipynb").read_text()
    assert "REHEARSAL" in page
    assert "generated, in the form of the paper" in page
    (row,) = results.parse_table(data_folder("results/rehearsal/chen2016/a.csv")).itertuples()
    assert (row.value, row.profile, row.dataset, row.role) == (2 + 7, "rehearsal", "dgex-maps", "own")
    assert [path.name for path in (book.root / "data").iterdir()] == ["catalogue.yml"]
    assert not (book.root / "_build/rehearsal/html").exists()


def test_changed_by_hand_it_is_a_rehearsal_still(book):
    order = make_order(profiles.find("a"), "rehearsal", {}, {}, {"n": 1})
    assert order.changed == {"n": 2}
    assert order.folders.label == "rehearsal"
    assert context.Context("chen2016/a", "rehearsal", changed=order.changed, key="k").label == "rehearsal"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["run", "a", "--rehearse"], "add --profile paper"),
        (["run", "a", "--profile", "rehearsal"], "unknown profile"),
        (["build", "--profile", "rehearsal"], "unknown profile"),
        (["reference", "a", "--profile", "rehearsal"], "numbers mean nothing"),
    ],
)
def test_a_rehearsal_is_asked_for_by_name_and_never_kept_as_reference(book, capsys, command, words):
    assert cli.main(command) == 1
    assert words in capsys.readouterr().err


def test_its_catalogue_is_the_true_one_but_for_addresses_and_hashes_of_generated_files(book):
    rehearsal.prepare()
    true, here = (yaml.safe_load(path.read_text()) for path in (CATALOGUE, data_folder("catalogue.yml")))
    changed = [
        (name, key, part)
        for name, entry in true.items()
        for key, file in (entry.get("files") or {}).items()
        for part in {*file, *here[name]["files"][key]}
        if part not in ("url", "package") and file.get(part) != here[name]["files"][key].get(part)
    ]
    files = ("landmarks", "targets")
    assert sorted(changed) == sorted(
        ("dgex-maps", one, part) for one in files for part in ("bytes", "sha256")
    )
    written = data_folder("catalogue.yml").read_text()
    assert "url: https" not in written
    assert "package:\n" not in written
    for entries in (true, here):
        for entry in entries.values():
            entry.pop("files", None)
    assert true == here
    assert catalogue.load("dgex-maps").n_vars < 10_463


def test_files_are_made_once_and_anew_when_their_maker_or_the_catalogue_changes(book, monkeypatch):
    made = []
    monkeypatch.setattr(made_files, "WRITERS", {"dgex-maps": lambda folder: made.append("dgex-maps")})
    rehearsal.prepare()
    rehearsal.prepare()
    assert made == ["dgex-maps"]
    monkeypatch.setattr(rehearsal, "library_hash", lambda modules: "of newer code")
    rehearsal.prepare()
    assert made == ["dgex-maps"] * 2


def test_a_figure_of_own_data_says_that_it_was_rehearsed(project, monkeypatch):
    told = context.Context("chen2016/a", "rehearsal", key="k")
    told.save(project.root / "run.json")
    for role, said in (("own", True), ("twin", False), ("drawing", False)):
        figure, _ = pyplot.subplots()
        monkeypatch.setenv("EXPRML_RUN", str(project.root / "run.json"))
        assert stamp(figure, role) == role
        assert (REHEARSED in figure.get_supxlabel()) == said
        pyplot.close(figure)


def test_while_files_are_made_anew_no_running_rehearsal_sees_an_address(book, monkeypatch):
    def write(folder):
        assert "url: https" not in data_folder("catalogue.yml").read_text()

    monkeypatch.setattr(made_files, "WRITERS", {"dgex-maps": write})
    rehearsal.prepare()
