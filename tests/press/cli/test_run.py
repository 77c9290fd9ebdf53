"""`exprml run`, `build` and `reference` from the command line."""

import errno
import json
from types import SimpleNamespace

import pytest

from exprml_press import cli

PARAMETERS = "n: int = 3  # n\nflag: bool = True  # flag"
CODE = (
    "import pandas as pd\nfrom exprml.book import report, results\nrun = report.start('paper/a')",
    "table = pd.DataFrame({'metric': ['n'], 'value': [n]})\nresults.write(table, run, 'one', dataset='made')",
    "assert flag, 'the flag is down'",
)


@pytest.fixture
def book(project):
    project.add("paper/a", *CODE, parameters=PARAMETERS, smoke={"n": 2})
    return project


def test_run_publishes_page_table_and_stamp(book, capsys):
    assert cli.main(["run", "a", "--profile", "smoke"]) == 0
    page = book.root / "_build/smoke/notebooks/paper/a.ipynb"
    assert str(page) in capsys.readouterr().out
    about = json.loads(page.read_text())["metadata"]["exprml"]
    table = (book.root / "data/results/smoke/paper/a.csv").read_text().splitlines()
    assert table[1].endswith(f",n,2,cpu,1,smoke,{about['key']}")
    stamp = json.loads((book.root / "data/results/smoke/paper/a.json").read_text())
    assert (stamp["key"], stamp["parameters"]) == (about["key"], {"n": 2, "flag": True})
    assert not list((book.root / "_build/smoke/parts").glob("*/"))


def test_changed_run_stays_apart_and_a_failed_one_leaves_no_table(book, capsys):
    assert cli.main(["run", "paper/a", "-p", "flag=false"]) == 1
    assert "the flag is down" in capsys.readouterr().out
    assert not list((book.root / "data/results").rglob("*.csv"))
    assert cli.main(["run", "paper/a", "-p", "n=9"]) == 0
    assert "changed by hand" in (book.root / "_build/custom/notebooks/paper/a.ipynb").read_text()
    assert (book.root / "data/results/custom/paper/a.csv").is_file()
    assert not (book.root / "_build/default").exists()


def test_a_kernel_that_dies_leaves_a_page_that_says_in_which_cell(project, capsys):
    project.add("paper/a", "print('so far')", "import os\nos._exit(1)", "print('never')")
    assert cli.main(["run", "a"]) == 1
    assert "in code cell 2" in capsys.readouterr().out
    page = (project.root / "_build/default/failed/paper/a.ipynb").read_text()
    assert "so far\\n" in page
    assert "never\\n" not in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "paper/b"], "did you mean 'paper/a'"),
        (["run", "a", "--profile", "smal"], "unknown profile 'smal'"),
        (["run", "a", "-p", "flg=1"], "unknown parameter 'flg': did you mean 'flag'"),
        (["run", "a", "-p", "n=abc"], "'abc' is of type str, expected int"),
        (["run", "a", "-p", "flag=1"], "expected bool"),
        (["run", "a", "-p", "n"], "write -p NAME=VALUE"),
        (["build", "--profile", "papr"], "did you mean 'paper'"),
        (["reference", "a"], "exprml run paper/a --profile default"),
    ],
)
def test_wrong_words_end_with_one_line_that_helps(book, capsys, arguments, words):
    assert cli.main(arguments) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert "Traceback" not in said.err
    assert not (book.root / "_build").exists() or not list((book.root / "_build").rglob("*.ipynb"))


def test_reference_keeps_table_and_stamp(book):
    table = book.root / "data/results/paper/paper/a.csv"
    table.parent.mkdir(parents=True)
    table.write_text("a table")
    table.with_suffix(".json").write_text("{}")
    assert cli.main(["reference", "a", "--profile", "paper"]) == 0
    assert (book.root / "data/reference/paper/a.csv").read_text() == "a table"
    assert (book.root / "data/reference/paper/a.json").is_file()


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "no permission to write")],
)
def test_full_disk_and_missing_permission_are_said_in_words(book, monkeypatch, capsys, number, words):
    from exprml.base import files

    def refuse(part, **_):
        raise OSError(number, "refused", part)  # as the system does: with the Path it was given

    monkeypatch.setattr(files.Path, "touch", refuse)
    assert cli.main(["run", "a"]) == 1
    said = capsys.readouterr().err
    assert words in said
    assert "a.key)" in said, "the file is named, not what it is called while it is made"


def test_a_full_disk_is_measured_where_the_file_is_and_the_target_of_a_copy_is_named(monkeypatch, tmp_path):
    from exprml_press.runner import folders

    free = {tmp_path: 3 * 2**20}
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda place: SimpleNamespace(free=free[place]))
    copy = tmp_path / "not" / "there"
    said = folders.explain(OSError(errno.ENOSPC, "No space left", "/a/source", None, str(copy)))
    assert said.startswith(f"the disk is full ({copy}): 3 MiB are free in {tmp_path}.")


def test_a_write_that_names_no_file_is_explained_by_the_fuller_disk(book, monkeypatch):
    from exprml_press.runner import folders

    monkeypatch.setenv("TMPDIR", "/")
    free = {"/": 0, str(book.root): 2**30}
    monkeypatch.setattr(folders.shutil, "disk_usage", lambda place: SimpleNamespace(free=free[str(place)]))
    assert "the disk is full: 0 MiB are free in /." in folders.explain(OSError(errno.ENOSPC, "No space left"))


def test_a_temporary_folder_that_cannot_be_written_is_said_in_one_sentence(book, monkeypatch, capsys):
    from exprml_press.runner import kernel

    def no_place():
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(kernel.os, "access", lambda *_: False)
    monkeypatch.setattr(kernel.tempfile, "gettempdir", no_place)
    assert cli.main(["run", "a", "--profile", "smoke"]) == 1
    said = capsys.readouterr()
    assert "No usable temporary directory found in ['/tmp']: let TMPDIR name a folder" in said.out
    assert "Traceback" not in said.out + said.err


def test_a_notebook_that_is_not_there_or_not_from_a_template_is_said(book, capsys):
    assert cli.main(["run", "my/none"]) == 1
    assert "my/none: no such notebook; `exprml new` writes one" in capsys.readouterr().err
    (book.root / "my").mkdir()
    (book.root / "my" / "b.ipynb").write_text((book.root / "notebooks/paper/a.ipynb").read_text())
    assert cli.main(["run", "my/b"]) == 1
    assert "no notebook made by `exprml new`" in capsys.readouterr().err


def test_a_notebook_of_ones_own_takes_values_by_name_and_no_profile(book, capsys):
    (book.root / "my").mkdir()
    document = json.loads((book.root / "notebooks/paper/a.ipynb").read_text())
    document["metadata"]["exprml"] = {"template": "a"}
    (book.root / "my" / "b.ipynb").write_text(json.dumps(document))
    assert cli.main(["run", "my/b", "--profile", "smoke"]) == 1
    assert "has no profiles" in capsys.readouterr().err
    assert cli.main(["run", "my/b.ipynb", "-p", "m=2"]) == 1
    assert "unknown parameter 'm'" in capsys.readouterr().err
    assert sorted(one.name for one in (book.root / "my").iterdir()) == ["b.ipynb"]
