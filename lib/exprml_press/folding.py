"""What stands open on a page and what folds: the method is read, the plumbing is there for who wants it.

A cell is method if it calls, itself or through a function the notebook defines, what brings data in, builds,
fits, splits, removes or scores. A cell that only draws, writes or prints folds by itself; the tags
``hide-input`` and ``show-input`` override that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

_METHOD = ("exprml.data", "exprml.models", "exprml.evaluation", "sklearn", "torch", "scipy", "statsmodels")
_PLUMBING = ("exprml.book",)
_PLUMBING_HERE = {"print", "display"}
_BEGINS = {"report.start", "run.load"}  # of the plumbing, but what they say is part of the method
_ANSWER = "answer"  # its words stand under the title; how they are computed is there for who wants it
_DECIDED = {"show-input", "hide-input", "remove-input", "remove-cell", "parameters"}


def fold(cells: list[dict[str, Any]]) -> None:
    """Tag the code cells that fold, in place; where a tag has decided already, it stands."""
    for cell, plumbing in zip(cells, plumbing_cells(cells), strict=True):
        tags = set(cell["metadata"].get("tags", []))
        if (plumbing or _ANSWER in tags) and not _DECIDED & tags:
            cell["metadata"].setdefault("tags", []).append("hide-input")


def plumbing_cells(cells: list[dict[str, Any]]) -> list[bool]:
    """Return of each cell whether it only imports, draws, writes or prints."""
    trees = [_parsed(cell) for cell in cells]
    origins = {name: origin for tree in trees if tree for name, origin in _imports(tree)}
    methods: set[str] = set()  # functions of the notebook that call method, found to any depth
    for tree in trees:
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.FunctionDef) and _calls_method(node, origins, methods):
                methods.add(node.name)
    return [tree is not None and _is_plumbing(tree, origins, methods) for tree in trees]


def _parsed(cell: dict[str, Any]) -> ast.Module | None:
    """Return what the source of a code cell says, None of any other cell."""
    try:
        return ast.parse("".join(cell["source"])) if cell["cell_type"] == "code" else None
    except SyntaxError:  # a cell with magic stays as it is
        return None


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the names a cell imports, each with where it comes from."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((one.asname or one.name, f"{node.module}.{one.name}") for one in node.names)
        elif isinstance(node, ast.Import):
            yield from ((one.asname or one.name, one.name) for one in node.names)


def _is_plumbing(tree: ast.Module, origins: dict[str, str], methods: set[str]) -> bool:
    if _calls_method(tree, origins, methods):
        return False
    if all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in tree.body):
        return True
    return any(
        name in _PLUMBING_HERE or origins.get(name.partition(".")[0], "").startswith(_PLUMBING)
        for name in _called(tree)
    )


def _calls_method(tree: ast.AST, origins: dict[str, str], methods: set[str]) -> bool:
    return any(
        name in _BEGINS or name in methods or origins.get(name.partition(".")[0], "").startswith(_METHOD)
        for name in _called(tree)
    )


def _called(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted names that are called, or handed on to be called (``map(build, names)``)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from (ast.unparse(one) for one in (node.func, *node.args) if _is_dotted(one))


def _is_dotted(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_dotted(node.value))
