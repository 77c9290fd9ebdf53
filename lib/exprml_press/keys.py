"""The key of a notebook: a hash of everything its page depends on, and of nothing else.

Time stamps do not enter: a touched file reruns nothing, data changed under an old date reruns its readers.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.code_hash import library_hash, modules_of
from exprml.base.files import as_json, data_folder, project_root, write_text_if_changed
from exprml.base.hashing import file_hash, text_hash

if TYPE_CHECKING:
    from exprml.book.profiles import Notebook

_ALWAYS = "import exprml_press.postprocess\n"  # shapes every page, though no notebook imports it
_LEDGER = "exprml.book.claims"


def key_parts(
    notebook: Notebook,
    profile: str,
    values: Mapping[str, Any],
    plan: Mapping[str, Mapping[str, Any]],
    earlier: Mapping[str, str],
    missing: Sequence[str] = (),
) -> dict[str, Any]:
    """Return what the page of a notebook depends on, each part by its hash or value.

    Parameters
    ----------
    notebook : Notebook
    profile : str
    values : dict
        Every parameter with its value.
    plan : dict
        Slot -> data set, role, hash.
    earlier : dict
        Keys of the notebooks whose results it reads.
    missing : sequence of str
        Those of them that failed, which it does without; its page is due again in the next build.
    """
    modules = modules_of(f"{_ALWAYS}{notebook.code}\n{dict(values)!r}")
    constraints = project_root() / "constraints.txt"
    return {
        "notebook": notebook.name,
        "profile": profile,
        "source": source_hash(notebook.document),
        "parameters": dict(values),
        "threads": notebook.threads,
        "data": {slot: [plan[slot][part] for part in ("dataset", "role", "hash")] for slot in plan},
        "published": dict(notebook.entry.get("published") or {}),
        "needs": {name: earlier[name] for name in notebook.needs},
        "missing": list(missing),
        "python": platform.python_version(),
        "constraints": file_hash(constraints) if constraints.is_file() else None,
        "library": library_hash(modules),
        "tables": {path.name: file_hash(path) for path in _tables(notebook, modules)},
    }


def key_of(parts: Mapping[str, Any]) -> str:
    """Return the key: the hash of the parts."""
    return text_hash(as_json(parts))


def write_key(path: Path, parts: Mapping[str, Any]) -> bool:
    """Write the parts with their key, only if they differ from what stands there; return whether they did."""
    return write_text_if_changed(path, as_json({"key": key_of(parts), **parts}))


def key_of_output(path: Path) -> str | None:
    """Return the key repeated in an executed notebook, None if it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))["metadata"]["exprml"]["key"]
    except (OSError, ValueError, KeyError):
        return None


def source_hash(document: Mapping[str, Any]) -> str:
    """Return the hash of a notebook's cells and metadata, outputs and counters left out."""
    cells = [
        [cell["cell_type"], "".join(cell["source"]), cell["metadata"], cell.get("attachments")]
        for cell in document["cells"]
    ]
    return text_hash(as_json([cells, document["metadata"].get("exprml")]))


def _tables(notebook: Notebook, modules: set[str]) -> list[Path]:
    """Return the committed tables a page reads: published numbers, reference runs, the ledger."""
    tables = sorted(data_folder("published").glob("*"))
    tables += [data_folder("claims.yml")] if _LEDGER in modules else []
    for name in (notebook.name, *notebook.needs):
        reference = data_folder("reference", name)
        tables += sorted(reference.parent.glob(reference.name + "*"))
    return [path for path in tables if path.is_file()]
