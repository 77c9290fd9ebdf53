"""From papermill's output to a page: the answer first, plumbing folded, figures described, paths gone."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exprml.base.files import project_root
from exprml_press import folding

_PICTURES = ("image/png", "image/jpeg")  # in base64, where a folder's name can only stand by accident
_MARKER = "papermill-error-cell-tag"  # of a cell that papermill puts in where a notebook fails
_CELL_FILE = re.compile(r"(?:/[^\s\"'<>:]*)?/ipykernel_\d+/\d+\.py")


def to_page(document: dict[str, Any], about: dict[str, Any]) -> dict[str, Any]:
    """Return the executed notebook as the site shows it, in place.

    Parameters
    ----------
    document : dict
        Notebook (nbformat 4) as papermill left it.
    about : dict
        What the runner knows of the run: key, profile, notebook, status, ...
    """
    cells = (cell for cell in document["cells"] if _MARKER not in cell["metadata"].get("tags", []))
    document["cells"] = [part for cell in cells for part in _figure_apart(cell)]
    for cell in document["cells"]:
        _tidy(cell)
        _describe_figure(cell)
    folding.fold(document["cells"])
    about = {**about, "answer": _answer_first(document["cells"])}
    document["metadata"].pop("papermill", None)
    document["metadata"]["exprml"] = {**document["metadata"].get("exprml", {}), **about}
    scrub = path_scrubber()
    for cell in document["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = _in_strings(cell["outputs"], scrub)
    if "widgets" in document["metadata"]:
        document["metadata"]["widgets"] = _in_strings(document["metadata"]["widgets"], scrub)
    return document


def failed_cell(document: dict[str, Any]) -> int | None:
    """Return the number among the code cells (from 1) of the failed cell: the last one that was begun."""
    code = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    begun = [at for at, cell in enumerate(code, 1) if cell["metadata"].get("papermill", {}).get("start_time")]
    return begun[-1] if begun else None


def mark_failed(document: dict[str, Any], where: str, trouble: str) -> dict[str, Any]:
    """Put the news of the failure right under the notebook's title, in place."""
    longest = max(map(len, re.findall(r"`+|:+", trouble)), default=0)  # an error may quote a reader's file
    fence, colons = "`" * max(4, longest + 1), ":" * max(4, longest + 1)
    text = (
        f"{colons}{{admonition}} This notebook failed {where}\n:class: danger exprml-failed\n"
        f"{fence}text\n{trouble}\n{fence}\nIts results are incomplete. Run it again.\n{colons}"
    )
    note = {"cell_type": "markdown", "id": "failed", "metadata": {"tags": ["failed"]}, "source": text}
    document["cells"].insert(1 if document["cells"] else 0, note)
    return document


def path_scrubber() -> Callable[[str], str]:
    """Return a function that takes this machine's folders out of a text."""
    folders = {
        f"{project_root()}/": "",
        f"{sys.prefix}/": "<python>/",
        f"{sys.base_prefix}/": "<python>/",
        f"{Path.home()}/": "~/",
        f"{os.environ.get('TMPDIR', '/tmp').rstrip('/')}/": "<temporary>/",
        str(project_root()): "<project>",
    }
    real = {os.path.realpath(old) + old[len(old.rstrip("/")) :]: new for old, new in folders.items()}
    pairs = sorted({**real, **folders}.items(), key=lambda pair: -len(pair[0]))
    pairs = [(old, new) for old, new in pairs if len(old) > 2]

    def scrub(text: str) -> str:
        if "/ipykernel_" in text:  # the pattern tries every slash: slow on a long text
            text = _CELL_FILE.sub("<cell>", text)
        for old, new in pairs:
            text = text.replace(old, new)
        return text

    return scrub


def _tidy(cell: dict[str, Any]) -> None:
    """Drop times and counters that change from run to run, keep the cell."""
    for name in ("papermill", "execution"):
        cell["metadata"].pop(name, None)
    if "injected-parameters" in cell["metadata"].get("tags", []):
        cell["id"] = "injected-parameters"
        cell["source"] = "".join(cell["source"]).removeprefix("# Parameters\n")


def _figure_apart(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a cell and, if anything follows its figure, another with it: captions hold for whole cells."""
    outputs = cell.get("outputs", [])
    ends = [at for at, output in enumerate(outputs, 1) if "exprml" in output.get("metadata", {})]
    end = max(ends, default=len(outputs))
    rest = {**cell, "id": f"{cell.get('id', 'cell')}-rest", "metadata": {"tags": ["remove-input"]}}
    rest |= {"source": "# after the figure", "outputs": outputs[end:]}  # MyST-NB skips empty cells
    return [{**cell, "outputs": outputs[:end]}, rest] if outputs[end:] else [cell]


def _describe_figure(cell: dict[str, Any]) -> None:
    """Copy what a figure says of itself (``metadata["exprml"]``) to where MyST-NB looks for it."""
    for output in cell.get("outputs", []):
        said = output.get("metadata", {}).pop("exprml", None)
        if said:
            shown = cell["metadata"].setdefault("mystnb", {})
            figure = {name: said[name] for name in ("caption", "name") if said.get(name)}
            shown["figure"] = {**shown.get("figure", {}), **figure}
            shown["image"] = {**shown.get("image", {}), "alt": said.get("alt", "")}
            cell["metadata"]["exprml"] = {"role": said.get("role", "")}


def under_title(text: str, said: str) -> str:
    """Return a page's Markdown with what answers it in a box under the title."""
    title, _, rest = text.partition("\n")
    return f"{title}\n\n::::{{admonition}} In short\n:class: tip exprml-answer\n{said}\n::::\n{rest}"


def _answer_first(cells: list[dict[str, Any]]) -> str:
    """Set what the cell tagged ``answer`` says under the title and return it; its code stays, folded."""
    for cell in cells:
        if "answer" in cell["metadata"].get("tags", []) and cells[0]["cell_type"] == "markdown":
            said = ["".join(out.get("data", {}).get("text/markdown", "")) for out in cell.get("outputs", [])]
            if any(said):
                cells[0]["source"] = under_title("".join(cells[0]["source"]), said[0])
                cell["outputs"] = []
                return said[0]
    return ""


def _in_strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_in_strings(one, change) for one in value]
    if isinstance(value, dict):
        return {name: one if name in _PICTURES else _in_strings(one, change) for name, one in value.items()}
    return value
