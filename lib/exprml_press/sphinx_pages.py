"""Sphinx extension of the site: source notebooks behind the buttons, badges on top, no foreign scripts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.files import project_root
from exprml.base.roles import ROLES

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_WIDGET_SCRIPTS = ("widgets-init.js", "require.js", "embed-amd.js")
_SOURCE_BUTTONS = ("source-edit-button", "source-file-button", "download-source-button")


def source_of(docname: str, suffixes: tuple[str, ...] = (".ipynb", ".md")) -> Path | None:
    """Return the file in the project that a page was made from; None for a generated page.

    Parameters
    ----------
    docname : str
        Sphinx's name of the page: its path in the project without suffix.
    suffixes : tuple of str
        Tried in order.
    """
    paths = (project_root() / f"{docname}{suffix}" for suffix in suffixes)
    return next((path for path in paths if path.is_file()), None)


def badges(about: Mapping[str, Any]) -> str:
    """Return the badges of a page as HTML, from the notebook metadata ``exprml`` that the runner writes.

    Parameters
    ----------
    about : mapping
        ``profile``; ``roles`` (slot → role); ``status``.
    """
    roles = set((about.get("roles") or {}).values())
    marks = [(f"role-{role}", ROLES[role].short) for role in reversed(ROLES) if role in roles]
    if about.get("profile"):
        marks.append((f"profile-{about['profile']}", f"profile: {about['profile']}"))
    if about.get("status") == "failed":
        marks.insert(0, ("status-failed", "this notebook failed"))
    spans = "".join(f'<span class="page-badge {escape(css)}">{escape(words)}</span>' for css, words in marks)
    return f'<p class="page-badges" aria-label="Data and profile of this page">{spans}</p>' if spans else ""


def notebook_metadata(path: Path) -> dict[str, Any]:
    """Return the ``exprml`` part of a notebook's metadata; empty if it is no notebook or says nothing."""
    if path.suffix != ".ipynb" or not path.is_file():
        return {}
    return json.loads(path.read_text(encoding="utf-8")).get("metadata", {}).get("exprml", {})


def adjust_page(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Change what the theme prepared for a page; connected late, when the theme is done."""
    _drop_scripts(context)
    if doctree is None:
        return
    if source_of(pagename) is None:
        _drop_source_buttons(context)
    marks = badges(notebook_metadata(Path(app.env.doc2path(pagename))))
    if marks:
        context["body"] = context["body"].replace("</h1>", f"</h1>\n{marks}", 1)


def _drop_scripts(context: dict[str, Any]) -> None:
    """Drop thebe, which names a foreign server on every page, and the widgets' 3.5 MB where there is none."""
    unused = ["thebe"]
    if "vnd.jupyter.widget-view" not in context.get("body", ""):
        unused += _WIDGET_SCRIPTS

    def keep(script: Any) -> bool:
        name, body = str(getattr(script, "filename", script) or ""), str(script.attributes.get("body") or "")
        return not any(one in name for one in unused) and "THEBE_JS_URL" not in body

    context["script_files"] = [script for script in context.get("script_files", []) if keep(script)]


def _drop_source_buttons(context: dict[str, Any]) -> None:
    """Drop the buttons that lead to a file of the project from a page that has none (it was generated)."""
    kept = []
    for button in context.get("header_buttons", []):
        inner = [one for one in button.get("buttons", []) if one.get("label") not in _SOURCE_BUTTONS]
        if button.get("label") != "launch-buttons" and button.get("label") not in _SOURCE_BUTTONS:
            kept.append({**button, "buttons": inner} if "buttons" in button else button)
    context["header_buttons"] = kept


def put_sources(app: Sphinx, error: Exception | None) -> None:
    """Put the source notebooks where the download buttons point; Sphinx copied the executed ones there."""
    if error is not None or app.builder.format != "html":
        return
    for docname in app.env.found_docs:
        source = source_of(docname, (".ipynb",))
        if source is not None:
            target = Path(app.outdir) / "_sources" / f"{docname}.ipynb"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to Sphinx: after the theme (its handlers run at 500), and when the pages are written."""
    app.connect("html-page-context", adjust_page, priority=900)
    app.connect("build-finished", put_sources)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
