"""From papermill's output to a page."""

import tempfile
import time
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin

from exprml_press import postprocess


def code_cell(outputs=(), source="1", **metadata):
    return {"cell_type": "code", "id": "x", "metadata": metadata, "source": source, "outputs": list(outputs)}


def page_of(*cells, **metadata):
    document = {"cells": list(cells), "metadata": {"papermill": {"input_path": "/secret"}, **metadata}}
    return postprocess.to_page(document, {"key": "k", "status": "complete"})


@pytest.fixture(autouse=True)
def in_a_project(project):
    return project


def test_figure_takes_caption_name_and_alt_from_its_output():
    said = {"alt": "nets stay above", "caption": "After removal", "name": "fig-after", "role": "twin"}
    output = {"output_type": "display_data", "data": {"image/png": "x"}, "metadata": {"exprml": said}}
    cell = page_of(code_cell([output], mystnb={"image": {"width": "80%"}}))["cells"][0]
    assert cell["metadata"]["mystnb"] == {
        "figure": {"caption": "After removal", "name": "fig-after"},
        "image": {"alt": "nets stay above", "width": "80%"},
    }
    assert cell["outputs"][0]["metadata"] == {}
    assert cell["metadata"]["exprml"] == {"role": "twin"}


def test_paths_of_this_machine_leave_every_output(project):
    texts = [
        f"{project.root}/lib/a.py", f"see {Path.home()}/notes", "/tmp/ipykernel_12/345.py:3",
        f"{tempfile.gettempdir()}/x",
    ]  # fmt: skip
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": texts},
        {"output_type": "error", "ename": "E", "evalue": texts[0], "traceback": [texts[2]]},
    ]
    shown = page_of(code_cell(outputs), widgets={"state": {"v": texts[0]}})
    assert shown["cells"][0]["outputs"][0]["text"][:3] == ["lib/a.py", "see ~/notes", "<cell>:3"]
    assert shown["cells"][0]["outputs"][1]["traceback"] == ["<cell>:3"]
    assert shown["metadata"]["widgets"]["state"]["v"] == "lib/a.py"
    assert str(project.root) not in str(shown)
    assert f"{tempfile.gettempdir()}/" not in str(shown)


def test_a_picture_is_left_alone_and_costs_no_search():
    picture = f"AAAA{tempfile.gettempdir()}/" + "abc/" * 50_000
    output = {"output_type": "display_data", "data": {"image/png": picture, "text/html": "x/" * 200_000}}
    started = time.process_time()
    shown = page_of(code_cell([output]))["cells"][0]["outputs"][0]["data"]
    assert shown == output["data"]
    assert time.process_time() - started < 1  # once the square of its length: minutes


def test_source_is_left_as_written(project):
    source = f"open('{project.root}/x')"
    assert page_of(code_cell(source=source))["cells"][0]["source"] == source


def test_what_changes_from_run_to_run_is_dropped_and_what_is_known_is_added():
    cell = code_cell(papermill={"duration": 3}, execution={"iopub": "12:00"})
    shown = page_of(cell, exprml={"experiments": ["one"]})
    assert shown["cells"][0]["metadata"] == {}
    assert shown["metadata"] == {
        "exprml": {"experiments": ["one"], "key": "k", "status": "complete", "answer": ""}
    }


def test_injected_values_stay_visible_and_error_markers_go():
    injected = code_cell(source="# Parameters\nn = 2\n", tags=["injected-parameters"])
    marker = {
        "cell_type": "markdown", "metadata": {"tags": ["papermill-error-cell-tag"]}, "source": "An Exception",
    }  # fmt: skip
    shown = page_of(marker, injected)
    assert [cell["source"] for cell in shown["cells"]] == ["n = 2\n"]
    assert shown["cells"][0]["id"] == "injected-parameters"


def test_failure_stands_under_the_title_with_its_cell():
    cells = [code_cell(papermill={"start_time": "12:00"}), code_cell(papermill={"start_time": None})]
    title = {"cell_type": "markdown", "metadata": {}, "source": "# Title"}
    document = {"cells": [title, *cells], "metadata": {}}
    assert postprocess.failed_cell(document) == 1
    marked = postprocess.mark_failed(document, "in code cell 1", "ValueError: no")
    assert marked["cells"][0] is title
    assert "This notebook failed in code cell 1" in marked["cells"][1]["source"]
    assert "ValueError: no" in marked["cells"][1]["source"]


def test_what_an_error_quotes_from_a_file_cannot_leave_its_box():
    trouble = "ValueError: class\n::::\n`````\n{raw} <script>alert(1)</script>"
    (box,) = postprocess.mark_failed({"cells": []}, "in code cell 1", trouble)["cells"]
    reader = MarkdownIt("commonmark").use(colon_fence_plugin)
    (outer,) = reader.parse(box["source"])
    assert outer.type == "colon_fence"
    quoted = [token.content for token in reader.parse(outer.content) if token.type == "fence"]
    assert quoted == [trouble + "\n"]


def answer_cell(text="**Answer.** Yes."):
    output = {"output_type": "execute_result", "data": {"text/markdown": text}, "metadata": {}}
    return code_cell([output], "tables.answer(run, found, sure)", tags=["answer"])


def test_the_answer_stands_under_the_title_and_before_all_else():
    title = {"cell_type": "markdown", "metadata": {}, "source": ["# A question?\n", "\n", "The claim."]}
    shown = page_of(title, code_cell(), answer_cell())["cells"]
    lines = shown[0]["source"].split("\n")
    assert lines[0] == "# A question?"
    assert lines[2] == "::::{admonition} In short"
    assert lines.index("**Answer.** Yes.") < lines.index("The claim.")
    assert shown[2]["outputs"] == []  # said once


def test_a_page_without_an_answer_keeps_its_title_cell():
    title = {"cell_type": "markdown", "metadata": {}, "source": "# A question?\n\nThe claim."}
    failed = code_cell(tags=["answer"])  # the run ended before it
    assert page_of(title, failed)["cells"][0]["source"] == "# A question?\n\nThe claim."


def test_what_follows_a_figure_gets_a_cell_of_its_own_since_a_caption_holds_for_a_whole_cell():
    said = {"name": "fig-x", "caption": "Seen.", "alt": "A dot."}
    figure = {"output_type": "display_data", "data": {"image/png": "x"}, "metadata": {"exprml": said}}
    table = {"output_type": "display_data", "data": {"text/html": "<table>"}, "metadata": {}}
    title = {"cell_type": "markdown", "metadata": {}, "source": "# A question?"}
    closing = code_cell([figure, table, table], "comparison.close(run, beside)")
    _, drawn, rest = page_of(title, closing)["cells"]
    assert drawn["metadata"]["mystnb"]["figure"] == {"caption": "Seen.", "name": "fig-x"}
    assert ("".join(drawn["source"]), len(drawn["outputs"])) == ("comparison.close(run, beside)", 1)
    assert (rest["outputs"], rest["metadata"]) == ([table, table], {"tags": ["remove-input"]})
    assert rest["source"]  # the site leaves out a cell without
    assert len(page_of(title, code_cell([table, figure]))["cells"]) == 2
