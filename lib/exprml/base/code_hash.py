"""What our modules say, as a hash: comments, line breaks and docstrings apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from exprml.base.hashing import text_hash

_LIBRARY = Path(__file__).resolve().parents[2]
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def tree_hash(path: Path) -> str:
    """Return the SHA-256 of a module's syntax tree without its docstrings.

    Raises
    ------
    SyntaxError
        If it is no Python.
    """
    return _hash_at(path, path.stat().st_mtime_ns)


@cache
def _hash_at(path: Path, mtime_ns: int) -> str:
    tree = ast.parse(path.read_bytes(), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return text_hash(ast.dump(tree))


@cache
def code_hash(module: str) -> str:
    """Return the hash of what a module of ours says, and of what it imports of ours, directly or not.

    A package that brings its names in on first use (`exprml.base.lazy`) counts with all its modules.
    """
    found: dict[str, str] = {}
    left = [module]
    while left:
        name = left.pop()
        path = _path_of(name)
        if path and name not in found:
            found[name] = tree_hash(path)
            imported = [*_imported(path)]
            if path.name == "__init__.py" and "exprml.base.lazy" in imported:
                imported += [f"{name}.{one.stem}" for one in path.parent.glob("[!_]*.py")]
            left += imported
    return text_hash("".join(f"{name} {found[name]}\n" for name in sorted(found)))


def _imported(path: Path) -> Iterator[str]:
    """Yield names that a module imports; of ``from a import b`` both ``a`` and ``a.b``, which may be one."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def _path_of(name: str) -> Path | None:
    """Return the file of a module of ours, None of any other name."""
    path = _LIBRARY.joinpath(*name.split("."))
    paths = (path.with_suffix(".py"), path / "__init__.py")
    return next((one for one in paths if name.startswith("exprml.") and one.is_file()), None)
