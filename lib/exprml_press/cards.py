"""The data cards: one page a data set, written from the catalogue and from counts of the data themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tabulate import tabulate

from exprml.base.files import write_text_if_changed
from exprml.data import catalogue
from exprml_press import inventory

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#$~^@&])")
_COUNTED = {
    "n_samples": "samples",
    "n_genes": "genes",
    "n_groups": "groups ({group})",
    "constant_genes": "genes with one value in all samples",
    "minimum": "smallest value",
    "floor_share": "share of all values that are the smallest",
    "maximum": "largest value",
    "missing": "missing values",
}
_table = partial(tabulate, tablefmt="pipe", disable_numparse=True, stralign="right", colalign=("left",))
_COUNTED_BY_CLASS = ("samples", "groups", "minimum", "floor_share", "missing")
_ABSENT = (
    "The files of this data set were not on the machine that built this page, so nothing is counted here. "
    "`exprml data fetch {name}` gets them; the next build counts."
)


def write_cards(folder: Path, *, profile: str | None = None) -> None:
    """Write the card of every data set and their index as MyST pages.

    Parameters
    ----------
    folder : Path
        Where to: ``data-cards`` of the stage.
    profile : str, optional
        Of the build. If its plan was made under policy "simulated", the mirror is left alone.
    """
    nearby = not profile or catalogue.plan_for(profile).get("policy") != "simulated"
    pages = {name: card(name, nearby=nearby) for name in catalogue.names()}
    for name, text in {**pages, "index": index()}.items():
        write_text_if_changed(folder / f"{name}.md", text)


def card(name: str, *, nearby: bool = True) -> str:
    """Return the page of one data set.

    Parameters
    ----------
    name : str
        As in the catalogue.
    nearby : bool
        Whether files may be taken from a mirror folder to count them.
    """
    found = catalogue.entry(name)
    sections = {
        "What it is": _escape(found.about),
        "What it holds": _counts(found, inventory.describe(name, nearby=nearby)),
        "The floor": _escape(found.floor),
        "What it can show": _escape(found.shows),
        "What it cannot show": _escape(found.cannot_show),
        "Licence and citation": _terms(found),
        "Files": _files(found),
        "How to get it": _how(found),
    }
    body = "\n\n".join(f"## {title}\n\n{text}" for title, text in sections.items())
    return f"# {_escape(found.title)}\n\n{_badges(found)}\n\n{body}\n"


def index() -> str:
    """Return the page that lists all data sets."""
    entries = [catalogue.entry(name) for name in catalogue.names()]
    rows = [(f"[{_escape(e.title)}]({e.name}.md)", f"`{e.name}`", _badges(e)) for e in entries]
    return (
        "# Data cards\n\nEvery data set of the book: what it is, how many samples *and groups* each class "
        "has, where its values have a floor, and what it can and cannot show. What the roles mean stands in "
        "[How to read this book](../book/how-to-read.md).\n\n"
        f"{_table(rows, ('data set', 'name', 'role'), stralign='left')}\n"
    )


def _counts(found: catalogue.Entry, counts: dict[str, Any]) -> str:
    if not counts["available"]:
        return _ABSENT.format(name=found.name)
    rows = [
        (title.format(group=found.group), _number(counts, key))
        for key, title in _COUNTED.items()
        if counts[key] is not None and (counts["n_samples"] or key in ("n_samples", "n_genes"))
    ]
    rows += [("units", _escape(found.units))] if found.units else []
    parts = [_table(rows, ("", "count"))]
    parts += [_classes(found, label, classes) for label, classes in sorted(counts["classes"].items())]
    return "\n\n".join(parts)


def _classes(found: catalogue.Entry, label: str, classes: list[dict[str, Any]]) -> str:
    head = (label, "samples", f"groups ({found.group})", "smallest value", "share of values there", "missing")
    rows = [
        (_escape(one["label"] or "(none)"), *(_number(one, key) for key in _COUNTED_BY_CLASS))
        for one in sorted(classes, key=lambda one: (-one["groups"], one["label"]))
    ]
    text = f"Classes of `{label}`, by groups: a class counts by its groups, not its samples."
    return f"{text}\n\n{_table(rows, head)}"


def _terms(found: catalogue.Entry) -> str:
    cited = [f"- {_escape(one['text'])}. <https://doi.org/{one['doi']}>" for one in found.citations]
    return "\n\n".join([_escape(found.licence), *(["\n".join(cited)] if cited else [])])


def _files(found: catalogue.Entry) -> str:
    if not found.files:
        return "None: the library makes these data whenever they are asked for, the same on every machine."
    return "\n".join(_file(file) for file in found.files)


def _file(file: catalogue.DataFile) -> str:
    size = f"{file.bytes:,} bytes" if file.bytes else "Size not known beforehand"
    source = f"`{file.package.path}` in {file.package}" if file.package else f"<{file.url}>"
    lines = [
        f"`{file.path}`",
        f": {size}, from {source}" if file.origin else ": No public address",
        f": SHA-256 of the content {f'`{file.sha256}`' if file.sha256 else 'not known beforehand'}",
        *([f": {_escape(file.note[:1].upper() + file.note[1:])}"] if file.note else []),
    ]
    if file.conversion:
        told = f" ({_escape(file.conversion.note)})" if file.conversion.note else ""
        also = f"`{file.conversion.path}`{told}, SHA-256 `{file.conversion.sha256}`"
        lines.append(f": Where a mirror has only that, its conversion {also}")
    return "\n".join(lines) + "\n"


def _how(found: catalogue.Entry) -> str:
    code = f'from exprml.data import catalogue\n\nadata = catalogue.load("{found.name}")  # AnnData'
    shell = f"exprml data show {found.name}\nexprml data export {found.name} --to csv   # or gct, h5ad"
    text = f"{_escape(found.how_to_get)}\n\n" if found.how_to_get else ""
    return f"{text}In Python:\n\n```python\n{code}\n```\n\nIn a terminal:\n\n```bash\n{shell}\n```"


def _badges(found: catalogue.Entry) -> str:
    return " ".join(
        f"[{role}]{{.page-badge .role-{role}}} in {paper}" for paper, role in sorted(found.roles.items())
    )


def _number(counts: Mapping[str, Any], key: str) -> str:
    value = counts[key]
    if value is None:
        return "none"
    if key == "floor_share":
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def _escape(text: str) -> str:
    """Return text in which no character means anything to Markdown but pairs of backticks."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _SPECIAL.sub(r"\\\1", text)
    return "`".join(one if i % 2 else _SPECIAL.sub(r"\\\1", one) for i, one in enumerate(parts))
