"""The key of a notebook: a hash of everything its page depends on, and of nothing else.

Time stamps do not enter: a touched file reruns nothing, data changed under an old date reruns its readers.
"""

from __future__ import annotations

import ast
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.files import as_json, data_folder, project_root, write_text_if_changed
from exprml.base.hashing import file_hash, text_hash

if TYPE_CHECKING:
    from exprml.book.profiles import Notebook

LIBRARY = Path(__file__).resolve().parents[1]
PACKAGES = ("exprml", "exprml_press")
_ALWAYS = ("exprml_press.postprocess",)  # shapes every page, though no notebook imports it
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
    modules = modules_of(notebook.code)
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
        "constraints": _hash_if_there(project_root() / "constraints.txt"),
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


def library_hash(modules: Iterable[str]) -> str:
    """Return the hash of the given modules' files and of the tables that lie in their packages."""
    files = {_file_of(name) for name in modules}
    folders = {path.parent for path in files if path.name == "__init__.py"} - {
        LIBRARY / name for name in PACKAGES
    }
    resources = {
        path
        for folder in folders
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    return text_hash(
        as_json({path.relative_to(LIBRARY).as_posix(): file_hash(path) for path in files | resources})
    )


def modules_of(code: str) -> set[str]:
    """Return the `exprml` modules that code imports, and those that they import, anywhere in their text."""
    found: set[str] = set()
    waiting = [*_ALWAYS, *imported_names(code, "")]
    while waiting:
        name = waiting.pop()
        file = _file_of(name)
        if file is None or name in found:
            continue
        found.add(name)
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        waiting += [name.rpartition(".")[0], *_imports_of_file(file, package)]
    return found


def imported_names(code: str, package: str) -> list[str]:
    """Return the dotted names code imports; of ``from a import b`` both ``a`` and ``a.b``."""
    names = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    return names


@lru_cache
def _imports_of_file(path: Path, package: str) -> tuple[str, ...]:
    return tuple(imported_names(path.read_text(encoding="utf-8"), package))


def _file_of(name: str) -> Path | None:
    parts = name.split(".")
    path = LIBRARY.joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file if parts[0] in PACKAGES and file.is_file() else None


def _tables(notebook: Notebook, modules: set[str]) -> list[Path]:
    """Return the committed tables a page reads: published numbers, reference runs, the ledger."""
    tables = sorted(data_folder("published").glob("*")) if data_folder("published").is_dir() else []
    tables += [data_folder("claims.yml")] if _LEDGER in modules else []
    for name in (notebook.name, *notebook.needs):
        folder = data_folder("reference", name).parent
        tables += sorted(folder.glob(Path(name).name + "*")) if folder.is_dir() else []
    return [path for path in tables if path.is_file()]


def _hash_if_there(path: Path) -> str | None:
    return file_hash(path) if path.is_file() else None
