"""What a module says, as a hash: comments, line breaks and docstrings apart."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from exprml.base.hashing import text_hash

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
