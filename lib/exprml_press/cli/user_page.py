"""Running a notebook of the reader's own: by the book's runner, with page and results beside the notebook."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.errors import ExprmlError
from exprml.base.files import project_root, write_text

if TYPE_CHECKING:
    from exprml.book.profiles import Notebook
    from exprml_press.runner.worker import Outcome

HOURS = 4  # a cell of a reader's own notebook may take this long
_STYLE = """body{max-width:60em;margin:2em auto;padding:0 1em;font:16px/1.55 sans-serif;color:#1f2933}
img{max-width:100%;height:auto}pre{background:#f4f6f8;padding:.6em;overflow-x:auto;font-size:13px}
table{border-collapse:collapse}td,th{padding:.15em .7em;text-align:left;border-bottom:1px solid #d9dee3}
figcaption{color:#52606d;margin-bottom:1em}.anchor-link,.jp-InputPrompt,.jp-OutputPrompt{display:none}
.prompt{display:none}.exprml-scroll{overflow-x:auto}"""


def find(name: str) -> Notebook | None:
    """Return a reader's own notebook by its path, ``.ipynb`` or not; None if `name` is no such path.

    Raises
    ------
    ExprmlError
        If the file there was not made by ``exprml new``.
    """
    from exprml.book import context
    from exprml.book.profiles import Notebook

    wanted = name if name.endswith(".ipynb") else f"{name}.ipynb"
    found = [path.resolve() for path in (Path(wanted), project_root() / wanted) if path.is_file()]
    meant = Path(name).is_absolute() or name.startswith(".") or Path(name).parts[:1] == (context.OWN_FOLDER,)
    if not found and meant:
        raise ExprmlError(f"{name}: no such notebook; `exprml new` writes one")
    if not found or project_root() / "notebooks" in found[0].parents:
        return None
    entry = {"minutes": {context.OWN: HOURS * 6}}  # the runner waits ten times as long for each cell
    notebook = Notebook(f"{context.OWN_FOLDER}/{found[0].stem}", found[0], entry)
    if "template" not in notebook.document.get("metadata", {}).get("exprml", {}):
        raise ExprmlError(f"{name}: is no notebook made by `exprml new`; open it with jupyter lab")
    return notebook


def run(notebook: Notebook, overrides: Mapping[str, Any]) -> tuple[Outcome, list[Path]]:
    """Run it; return how it ended and the files left beside it: page and results table.

    The notebook writes its table there itself, so that nothing that fails later can take it away. A run with
    changed values leaves ``<name>-changed`` files and lets the others be.
    """
    from exprml.book import context
    from exprml.data import user_files
    from exprml_press.runner.worker import execute, make_order

    values, folder = notebook.values(context.OWN, overrides), notebook.path.parent
    files = [folder / values[name] if values.get(name) else "" for name in ("expression", "labels")]
    order = make_order(notebook, context.OWN, {"data": user_files.source_of(*files)}, {}, overrides)
    stem = notebook.path.stem + ("-changed" if order.changed else "")
    page, table = folder / f"{stem}.html", folder / f"{stem}{context.OWN_RESULTS}"
    for place in (page, table):
        if place.is_dir():
            raise ExprmlError(f"{place} is a folder, where a file must go: rename it. Nothing was run")
    outcome = execute(replace(order, results=table))
    try:
        write_text(page, to_html(outcome.page, stem))
    except Exception as error:  # whatever it is: the fits are done, and where they lie must be said
        raise ExprmlError(
            f"{page}: the page could not be made ({type(error).__name__}: {error}). Run: {outcome.message}\n"
            f"The notebook with its outputs is kept in {outcome.page}, the results are in {table}"
        ) from error
    return outcome, [page, table] if outcome.ok else [page]


def to_html(page: Path, title: str) -> str:
    """Return an executed notebook, as the runner left it, as one page that needs no network.

    Captions stand under the figures, alt texts in them.
    """
    import nbformat
    from nbconvert import HTMLExporter

    notebook = nbformat.read(page, as_version=4)
    for cell in notebook.cells:
        if "failed" in cell.metadata.get("tags", []):  # a box in the site's own Markdown
            cell.source = re.sub(r"(?m)^:{4,}(?:{\w+} (.*)\n:class:.*)?$", r"**\1**\n", cell.source, count=1)
            cell.source = cell.source.rstrip(":")
        shown = cell.metadata.get("mystnb", {})
        if caption := shown.get("figure", {}).get("caption"):  # the press left the figure last in its cell
            words = f"<figcaption>{html.escape(caption)}</figcaption>"
            cell.outputs.append(nbformat.v4.new_output("display_data", {"text/html": words}))
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'
