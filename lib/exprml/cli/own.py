"""Running a notebook of the reader's own: by the book's runner, with page and results beside the notebook."""

from __future__ import annotations

import html
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.errors import ExprmlError
from exprml.base.files import atomic_path, project_root, write_text

if TYPE_CHECKING:
    from exprml.book.profiles import Notebook
    from exprml.book.runner import Outcome

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

    A run with changed values leaves ``<name>-changed`` files and lets the others be.
    """
    from exprml.book import context, keys
    from exprml.book.runner.worker import Order, execute
    from exprml.data import own

    values, usual = notebook.values("default", overrides), notebook.values("default")
    changed = {name: usual[name] for name in values if values[name] != usual[name]}
    folder = notebook.path.parent
    files = [folder / values[name] if values.get(name) else "" for name in ("expression", "labels")]
    plan = {"data": own.source_of(*files)}
    key = keys.key_of(keys.key_parts(notebook, context.OWN, values, plan, {}))
    order = Order(notebook, context.OWN, values, plan, key, changed)
    outcome = execute(order)
    stem = notebook.path.stem + ("-changed" if changed else "")
    made = [folder / f"{stem}.html"]
    write_text(made[0], to_html(outcome.page, stem))
    if outcome.ok:
        made.append(folder / f"{stem}{context.OWN_RESULTS}")
        with atomic_path(made[1]) as part:
            shutil.copyfile(context.results_path(notebook.name, order.folders.label), part)
    return outcome, made


def to_html(page: Path, title: str) -> str:
    """Return an executed notebook, as the runner left it, as one page that needs no network.

    Captions stand under the figures, alt texts in them.
    """
    import nbformat
    from nbconvert import HTMLExporter

    notebook = nbformat.read(page, as_version=4)
    for cell in notebook.cells:
        shown = cell.metadata.get("mystnb", {})
        for output in cell.get("outputs", []) if "image" in shown else []:
            output.metadata.setdefault("image/png", {})["alt"] = shown["image"]["alt"]
            caption = f"<figcaption>{html.escape(shown['figure']['caption'])}</figcaption>"
            cell.outputs.append(nbformat.v4.new_output("display_data", {"text/html": caption}))
            break
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'
