"""`exprml run` on a reader's notebook: what the files hold is shown, not obeyed, and no work is lost."""

import errno
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from exprml.book import results
from exprml.book.context import results_path
from exprml_press import cli
from exprml_press.cli import user_page
from exprml_press.runner import folders, worker

TINY = ["epochs=1", "n_trees=2", "n_genes=10", "fractions=[1.0]", "check_folds=1", "n_folds=2"]
CLASSES = [
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "**bold** $x_{1}$ {ref}`x` \\frac{",
    "\u80bf\u7624 \u05e9\u05dc\u05d5\u05dd \U0001f600",
    "=1+1 <!--" + "x" * 100,
]
RARE = "<img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """The elements and the text of a page, as a browser takes them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def texts_of(self, name: str) -> str:
        return " ".join(attributes.get(name) or "" for _, attributes in self.elements)


def made(classes: list[str], label: str = "tissue") -> tuple[pd.DataFrame, pd.DataFrame]:
    """Eight samples of each class, each of its own donor, and twelve genes with hostile names."""
    draws = np.random.default_rng(1)
    labels = [one for one in classes for _ in range(8)] + [RARE]
    names = [f"S{n} <b>" for n in range(len(labels))]
    genes = [f"<i>g{n}</i> $y$" for n in range(12)]
    values = draws.normal(5, 1, (len(names), 12)) + np.array([classes.index(one) if one in classes else 0
                                                              for one in labels])[:, None]  # fmt: skip
    donors = [f"<u>d{n}</u>" for n in range(len(names))]
    return (
        pd.DataFrame(values, names, genes),
        pd.DataFrame({"sample": names, label: labels, "do<b>nor": donors}),
    )


@pytest.fixture
def here(project, monkeypatch):
    monkeypatch.chdir(project.root)
    return project.root


def write(here, classes, label="tissue", output="my/first") -> None:
    values, labels = made(classes, label)
    values.to_csv(here / "data" / "<i>x $z$.csv")
    labels.to_csv(here / "data" / "y.csv", index=False)
    files = ["--expression", "data/<i>x $z$.csv", "--samples-in", "rows", "--labels", "data/y.csv"]
    columns = ["--label", label, "--group", "do<b>nor", "--folds", "2"]
    assert cli.main(["new", "tissue-benchmark", *files, *columns, "--output", output]) == 0


def run(name: str = "my/first") -> int:
    return cli.main(["run", name, *(word for one in TINY for word in ("-p", one))])


def test_what_the_files_hold_is_shown_on_the_page_and_not_obeyed(here, capsys):
    write(here, CLASSES, label="<s>tissue</s>")
    assert run() == 0, capsys.readouterr()
    page = Page((here / "my" / "first-changed.html").read_text())
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "b", "i", "u", "s", "iframe", "object"}
    assert not [found for found in page.elements if any(name.startswith("on") for name in found[1])]
    assert "javascript:" not in page.texts_of("href")
    assert "Traceback" not in page.text
    assert "Warning" not in page.text
    lines = [line for line in page.text.splitlines() if "at their gene's smallest" in line]
    assert any(one in line for line in lines for one in CLASSES), lines  # a sentence says a class as it is
    assert RARE in page.text  # a table
    assert "<s>tissue</s>" in page.text
    assert "<i>x $z$.csv" in page.text
    lowest = re.search(r"lowest [\d.]+ \((.*?), five-layer", page.texts_of("alt").partition("recall")[2])
    assert lowest[1] in CLASSES
    table = results.parse_table(here / "my" / "first-changed-results.csv")
    assert {f"recall:{one}" for one in CLASSES} <= set(table["metric"])
    assert {"own-comparison", "own-control", "own-checks"} == set(table["experiment"])


def small_notebook(here, *code: str) -> None:
    """Write my/small.ipynb: it loads the files, keeps one row of results, and goes on with `code`."""
    write(here, CLASSES[:2], output="my/small")
    path = here / "my" / "small.ipynb"
    document = json.loads(path.read_text())
    begin = [cell for cell in document["cells"] if cell["cell_type"] == "code"][:3]
    row = "pd.DataFrame({'metric': ['score'], 'value': [0.5]})"
    lines = [f"results.write({row}, run, 'own-comparison')", *code]
    cells = [{**begin[2], "id": f"cell-{n}", "source": line} for n, line in enumerate(lines)]
    begin[0]["source"] = (
        "import pandas as pd\nfrom exprml.book import report, results\nfrom exprml.data import user_files"
    )
    path.write_text(json.dumps({**document, "cells": [*begin, *cells]}))


def test_a_cell_that_fails_after_the_fits_leaves_table_and_page_and_says_where(here, capsys):
    small_notebook(here, "raise ValueError('no page today ````\\n::::\\n<script>alert(1)</script>')")
    assert cli.main(["run", "my/small"]) == 1
    said = capsys.readouterr().out
    table, page = here / "my" / "small-results.csv", here / "my" / "small.html"
    assert "no page today" in said
    assert str(table) in said
    assert str(page) in said
    assert list(results.parse_table(table)["value"]) == [0.5]
    shown = Page(page.read_text())
    assert "no page today" in shown.text
    assert "script" not in {tag for tag, _ in shown.elements}


@pytest.fixture
def pretended(monkeypatch):
    """Let the run of a notebook be a table of one row and whatever end is asked for."""

    def pretend(end):
        def papermill(order: worker.Order, part: Path) -> str | None:
            rows = f"experiment,metric,value,run\nx,score,0.5,{order.key}\n"
            (order.results or part / "results.csv").write_text(rows)
            (part / "executed.ipynb").write_text(json.dumps(order.notebook.document))
            if isinstance(end, BaseException):
                raise end
            return end

        monkeypatch.setattr(worker, "_run_papermill", papermill)

    return pretend


FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    "end", ["ValueError: no", FULL, KeyboardInterrupt()], ids=["cell", "disk", "stopped"]
)
@pytest.mark.parametrize("mine", [True, False], ids=["reader's", "book's"])
def test_however_a_run_ends_the_rows_so_far_are_kept_and_named(here, project, capsys, pretended, end, mine):
    pretended(end)
    if mine:
        write(here, CLASSES[:2])
        kept = here / "my" / "first-results.csv"
        assert cli.main(["run", "my/first"]) > 0
    else:
        project.add("heil2022/a", parameters="n: int = 1  # one")
        finished = results_path("heil2022/a", "custom")
        finished.parent.mkdir(parents=True)
        finished.write_text("an earlier run that ended well")
        kept = here / "_build" / "custom" / "failed" / "heil2022" / "a.csv"
        assert cli.main(["run", "heil2022/a", "-p", "n=2"]) > 0
        assert finished.read_text() == "an earlier run that ended well"
    told = capsys.readouterr()
    assert "score,0.5" in kept.read_text()
    assert str(kept) in told.out + told.err
    assert "Traceback" not in told.err
    assert ("the same command begins anew" in told.err) == isinstance(end, KeyboardInterrupt)


def test_an_earlier_table_is_not_passed_off_as_this_runs(here, capsys, monkeypatch):
    write(here, CLASSES[:2])
    (here / "my" / "first-results.csv").write_text("experiment,run\nx,another\n")
    monkeypatch.setattr(worker, "_run_papermill", lambda order, part: "ValueError: before any fit")
    assert cli.main(["run", "my/first"]) == 1
    assert "results" not in capsys.readouterr().out.replace("/results", "")


def test_a_page_that_cannot_be_drawn_leaves_the_table_and_says_where(here, capsys, pretended, monkeypatch):
    def fail(*_):
        raise AttributeError("metadata")

    write(here, CLASSES[:2])
    pretended(None)
    monkeypatch.setattr(user_page, "to_html", fail)
    assert cli.main(["run", "my/first"]) == 1
    error = capsys.readouterr().err
    assert "first.html: the page could not be made (AttributeError: metadata)" in error
    assert str(here / "my" / "first-results.csv") in error
    assert (here / "my" / "first-results.csv").is_file()


@pytest.mark.parametrize("place", ["my/first.html/", "my/first-results.csv/", "_build", "my/"])
def test_places_are_looked_at_before_anything_is_run(here, capsys, monkeypatch, place):
    def papermill(*_):
        raise AssertionError("it was run")

    write(here, CLASSES[:2])
    monkeypatch.setattr(worker, "_run_papermill", papermill)
    if place == "my/":
        monkeypatch.setattr(folders.tempfile, "TemporaryFile", refused)
    elif place.endswith("/"):
        (here / place).mkdir()
    else:
        (here / place).write_text("a file where a folder must be")
    capsys.readouterr()
    assert cli.main(["run", "my/first"]) == 1
    error = capsys.readouterr().err
    assert str(here / place.rstrip("/")) in error
    assert "Nothing was run" in error
    assert len(error.splitlines()) == 1


def refused(dir: Path):
    """Stand in for a read-only folder: tests may run as root, whom no mode stops."""
    if dir.name == "my":
        raise OSError(errno.EROFS, "Read-only file system", str(dir))
    return (dir / "probe").open("w")


def test_the_next_command_can_be_typed_as_it_stands(here, capsys):
    write(here, CLASSES[:2], output="my folder/mine")
    assert "run 'my folder/mine'" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["", "."])
def test_a_folder_is_no_name_of_a_notebook(here, capsys, output):
    files = ["--expression", "x.csv", "--label", "tissue", "--output", output]
    assert cli.main(["new", "tissue-benchmark", *files]) == 1
    assert "give the notebook's name too" in capsys.readouterr().err
