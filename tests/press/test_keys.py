"""The key changes with everything a page depends on, and with nothing else."""

import json
import shutil

import pytest

from exprml.base import code_hash
from exprml.book import profiles
from exprml_press import keys

PLAN = {"tissues": {"dataset": "gtex-twin", "role": "twin", "hash": "aa", "why": "first choice"}}


@pytest.fixture
def key_now(project):
    def key(profile="smoke", plan=PLAN, earlier=None, **overrides) -> str:
        notebook = profiles.notebooks()["index"]
        values = notebook.values(profile, overrides)
        return keys.key_of(keys.key_parts(notebook, profile, values, plan, earlier or {}))

    project.add("index", "1 + 1", parameters="n: int = 1  # n")
    return key


def test_same_inputs_same_key(key_now):
    assert key_now() == key_now()


def test_outputs_counters_and_reasons_do_not_count(project, key_now):
    before = key_now()
    path = project.root / "notebooks/index.ipynb"
    document = json.loads(path.read_text())
    document["cells"][1]["execution_count"] = 7
    document["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "2"}]
    path.write_text(json.dumps(document))
    why = {"tissues": {**PLAN["tissues"], "why": "nothing else"}}
    assert key_now(plan=why) == before


def test_source_parameters_profile_data_and_pins_count(project, key_now):
    seen = [key_now(), key_now("default"), key_now(n=2)]
    for part, value in (("hash", "bb"), ("role", "own"), ("dataset", "gtex-v8")):
        seen.append(key_now(plan={"tissues": {**PLAN["tissues"], part: value}}))
    project.add("index", "1 + 2", parameters="n: int = 1  # n")
    seen.append(key_now())
    project.add("index", "1 + 2", parameters="n: int = 1  # n", threads=2)
    seen.append(key_now())
    (project.root / "constraints.txt").write_text("numpy==0.1\n")
    seen.append(key_now())
    assert len(set(seen)) == len(seen)


def test_key_of_a_needed_notebook_and_its_reference_run_count(project, key_now):
    project.add("a", "1")
    project.add("index", "1 + 1", needs=["a"])
    seen = [key_now(earlier={"a": "1"}), key_now(earlier={"a": "2"})]
    reference = project.root / "data/reference/a.csv"
    reference.parent.mkdir()
    reference.write_text("x")
    seen.append(key_now(earlier={"a": "2"}))
    assert len(set(seen)) == 3


def test_imports_are_followed_to_the_base_also_inside_functions():
    found = code_hash.modules_of("from exprml.book import results\nimport numpy")
    assert {"exprml", "exprml.book", "exprml.book.results", "exprml.book.context"} <= found
    assert "exprml.base.files" in found
    assert "exprml_press.stage" not in found
    assert not [name for name in found if name.startswith("exprml.models")]
    inside = code_hash.modules_of("def late():\n    from exprml_press import stage")
    assert "exprml_press.stage" in inside


def test_the_runner_is_no_part_of_what_a_notebook_imports():
    found = code_hash.modules_of("from exprml.book import report")
    assert not [name for name in found if name.startswith("exprml_press.runner")]


def test_imports_for_annotations_alone_do_not_count():
    code = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from exprml.book import report\n"
    assert "exprml.book.report" not in code_hash.modules_of(code)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Return a copy of the library that keys are made of, with a function that edits it."""
    shutil.copytree(
        code_hash.LIBRARY, tmp_path / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    monkeypatch.setattr(code_hash, "LIBRARY", tmp_path / "lib")

    def edit(name: str, old: str, new: str) -> None:
        path = tmp_path / "lib" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return edit


def hashes_of_the_book() -> dict[str, str]:
    """Return the hash of the library for every notebook of the book."""
    return {
        name: code_hash.library_hash(code_hash.modules_of(f"{one.code}\n{dict(one.values('default'))!r}"))
        for name, one in profiles.notebooks().items()
    }


def rerun_by(library, *change: str) -> set[str]:
    """Return the notebooks that run again after a change."""
    before = hashes_of_the_book()
    library(*change)
    after = hashes_of_the_book()
    return {name for name in before if before[name] != after[name]}


def test_a_comment_a_docstring_and_a_line_break_rerun_nothing(library):
    assert rerun_by(library, "exprml/base/errors.py", '"""', '"""More words. ') == set()
    assert rerun_by(library, "exprml/base/files.py", "import os\n", "\n\nimport os  # why\n") == set()


def test_a_change_of_the_base_reruns_all(library):
    assert rerun_by(library, "exprml/base/hashing.py", "sha256", "sha512") == set(profiles.notebooks())


@pytest.mark.parametrize(
    ("paper", "other"), [("heil2022", "chen2016"), ("chen2016", "heil2022"), ("bhukya2021", "heil2022")]
)
def test_a_new_preset_of_one_paper_reruns_nothing_of_another(library, paper, other):
    again = rerun_by(library, f"exprml/models/presets/{paper}.yml", "presets:", "more: 1\npresets:")
    assert paper in {name.partition("/")[0] for name in again}
    assert other not in {name.partition("/")[0] for name in again}


def test_a_figure_reruns_the_notebooks_that_draw_it(library):
    drawn = {name for name, one in profiles.notebooks().items() if "figures.recall_heatmap" in one.code}
    again = rerun_by(library, "exprml/book/figures/matrices.py", "\ndef ", "\n_MORE = 1\n\ndef ")
    assert drawn <= again < set(profiles.notebooks())


def test_key_file_is_written_only_when_it_differs(tmp_path):
    path = tmp_path / "a.key"
    assert keys.write_key(path, {"source": "1"})
    assert not keys.write_key(path, {"source": "1"})
    assert keys.write_key(path, {"source": "2"})


def test_damaged_output_has_no_key(tmp_path):
    page = tmp_path / "page.ipynb"
    assert keys.key_of_output(page) is None
    page.write_text('{"metadata": {"exprml": {"key": "k"}}, "cells": [')
    assert keys.key_of_output(page) is None
    page.write_text('{"metadata": {"exprml": {"key": "k"}}, "cells": []}')
    assert keys.key_of_output(page) == "k"
