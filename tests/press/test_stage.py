"""The site's source and the swap of the rendered site."""

import pytest

from exprml.base.errors import ExprmlError
from exprml_press import postprocess, stage
from exprml_press.runner.folders import Folders

PAGE = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def folders(project):
    project.add("index", "1")
    return Folders("smoke")


def fake_render(monkeypatch, code):
    """Let `code` (a line of Python) stand for Jupyter Book; argv[-1] is the output folder."""
    lead = (
        "import sys, pathlib; html = pathlib.Path(sys.argv[-1]) / '_build/html'; html.mkdir(parents=True); "
    )
    monkeypatch.setattr(stage, "_JUPYTER_BOOK", lead + code)


def test_stage_holds_prose_and_pages_and_forgets_what_was_there(folders, project):
    (project.root / "book/primer.md").write_text("# Primer")
    stage.make_stage(folders, {"paper/old": PAGE})
    stage.make_stage(folders, {"index": PAGE})
    staged = {path.relative_to(folders.stage).as_posix() for path in folders.stage.rglob("*.*")}
    assert staged == {"_config.yml", "_toc.yml", "book/primer.md", "notebooks/index.ipynb"}


def page(question, answer="", **about):
    """Return an executed notebook as `postprocess.to_page` leaves it."""
    title = {"cell_type": "markdown", "metadata": {}, "source": [f"# {question}\n", "\n", "The claim."]}
    outputs = [{"output_type": "display_data", "data": {"text/markdown": answer}}] if answer else []
    cell = {"cell_type": "code", "source": "tables.answer(run, found, sure)", "outputs": outputs}
    document = {**PAGE, "cells": [title, cell | {"metadata": {"tags": ["answer"]}}], "metadata": {}}
    return postprocess.to_page(document, {"status": "done", **about})


def test_a_part_begins_with_the_answers_of_its_pages(folders, project):
    (project.root / "book/paper.md").write_text("# A part\n\nWhat it asks.\n")
    (project.root / "book/primer.md").write_text("# Primer\n")
    found = {
        "paper/02": page(
            "Is it so?", "**Answer for simulated data.** Yes: by 0.5. And more.\n\n**How sure.** Not."
        ),
        "paper/01": page("How many?", "**Answer.** It depends: 0.8 or 1. Of E. coli, three."),
        "paper/03": page("Who failed?", "**Answer.** Nobody.", status="failed"),
        "paper/04": stage.stand_in_page(page("Who never ran?"), "paper/04", "killed"),
        "index": page("The book", "**Answer.** All of it."),
    }
    stage.make_stage(folders, found)
    lines = (folders.stage / "book/paper.md").read_text().split("\n")
    assert lines[:4] == ["# A part", "", "::::{admonition} In short", ":class: tip exprml-answer"]
    failed = "No answer: this notebook failed, and its page says where."
    assert lines[4:8] == [
        "- [How many?](../notebooks/paper/01.ipynb) It depends: 0.8 or 1.",
        "- [Is it so?](../notebooks/paper/02.ipynb) *Simulated data:* Yes: by 0.5.",
        f"- [Who failed?](../notebooks/paper/03.ipynb) {failed}",
        f"- [Who never ran?](../notebooks/paper/04.ipynb) {failed}",
    ]
    assert lines.index("::::") < lines.index("What it asks.")
    assert (folders.stage / "book/primer.md").read_text() == "# Primer\n"
    assert "In short" not in (project.root / "book/paper.md").read_text()


def test_hash_follows_content_only(folders, project):
    first = stage.make_stage(folders, {"index": PAGE})
    assert stage.make_stage(folders, {"index": PAGE}) == first
    (project.root / "book/primer.md").write_text("# Primer")
    assert stage.make_stage(folders, {"index": PAGE}) != first


def test_rendered_site_replaces_the_old_one_whole(folders, monkeypatch):
    folders.html.mkdir(parents=True)
    (folders.html / "gone.html").write_text("old")
    fake_render(monkeypatch, "(html / 'index.html').write_text('new')")
    made = stage.make_stage(folders, {"index": PAGE})
    assert not stage.is_rendered(folders, made)
    stage.render(folders, made)
    assert [path.name for path in folders.html.iterdir()] == ["index.html"]
    assert stage.is_rendered(folders, made)
    assert not stage.is_rendered(folders, "another")


def test_rendering_that_fails_names_the_warning_and_leaves_the_old_site(folders, monkeypatch):
    folders.html.mkdir(parents=True)
    (folders.html / "index.html").write_text("old")
    fake_render(monkeypatch, "print('book/a.md:3: WARNING: undefined label'); sys.exit(1)")
    with pytest.raises(ExprmlError, match=r"(?s)old one stands.*a.md:3: WARNING: undefined label"):
        stage.render(folders, stage.make_stage(folders, {"index": PAGE}))
    assert (folders.html / "index.html").read_text() == "old"


def test_warnings_are_errors_unless_a_page_failed(folders, monkeypatch):
    fake_render(monkeypatch, "(html / 'index.html').write_text(' '.join(sys.argv))")
    made = stage.make_stage(folders, {"index": PAGE})
    for strict in (True, False):
        stage.render(folders, made, strict=strict)
        options = (folders.html / "index.html").read_text().split()
        assert ("-W" in options) is strict
        assert {"--all", "-n", "--keep-going"} <= set(options)


def test_kill_between_the_two_renames_is_repaired(folders):
    old = folders.html.with_name("html.old")
    old.mkdir(parents=True)
    (old / "index.html").write_text("old")
    stage.recover(folders)
    assert (folders.html / "index.html").read_text() == "old"
    assert not old.exists()


def test_default_profile_is_the_published_one(project):
    assert Folders("default").html == project.root / "_build/html"
    assert Folders("smoke").html == project.root / "_build/smoke/html"
