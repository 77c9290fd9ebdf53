"""Which modules of ours a piece of code uses, and what they say, as a hash.

Comments, line breaks and docstrings say nothing. Imports are absolute (ruff holds that).
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from exprml.base.files import as_json
from exprml.base.hashing import file_hash, text_hash
from exprml.base.lazy import by_name

LIBRARY = Path(__file__).resolve().parents[2]
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Code(NamedTuple):
    """What a piece of code says and takes from elsewhere.

    Attributes
    ----------
    names : tuple of str
        Dotted names: imported modules, what is imported from them, ``module.name``.
    texts : frozenset of str
        Its texts.
    home : dict
        Of a package that brings its names in on first use (`exprml.base.lazy`): name -> module.
    said : str
        SHA-256 of its syntax tree without docstrings.
    """

    names: tuple[str, ...]
    texts: frozenset[str]
    home: Mapping[str, str]
    said: str


def library_hash(modules: Iterable[str]) -> str:
    """Return the hash of what modules say, and of the tables that lie in their packages.

    A table that has the name of a module beside it counts with that module alone.
    """
    files = {_file_of(name) for name in modules}
    folders = {path.parent for path in files if path.name == "__init__.py" and path.parents[1] != LIBRARY}
    lying = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    tables = [path for path in lying if path.suffix not in (".py", ".pyc")]
    owner = {path: path.with_suffix(".py") for path in tables}
    hashes = {path: file_hash(path) for path in tables if owner[path] in files or not owner[path].is_file()}
    hashes |= {path: code_of(path.read_text(encoding="utf-8")).said for path in files}
    return text_hash(as_json({path.relative_to(LIBRARY).as_posix(): one for path, one in hashes.items()}))


def modules_of(code: str) -> set[str]:
    """Return the modules of ours that code uses, and those that they use.

    An import counts wherever it stands, but for annotations alone (``TYPE_CHECKING``). Of a package that
    brings its names in on first use only the modules count whose names the code takes
    (``figures.confusion``), or writes in or before the stroke of a text ("heil2022/five-layer") where it uses
    the package.
    """
    found: dict[str, Code] = {}
    read = [code_of(code)]
    while True:
        lazy = {name: one.home for name, one in found.items() if one.home}
        named = {name for one in read for name in one.names}
        named |= {
            f"{package}.{word}"
            for package, home in lazy.items()
            for one in read
            if package in one.names
            for text in one.texts
            if (word := text if text in home else text.partition("/")[0]) in home
        }
        named |= {_at_home(name, lazy) for name in named}
        named |= {above for name in named for above in accumulate(name.split("."), "{}.{}".format)}
        new = {one: path for one in named - set(found) if one[:6] == "exprml" and (path := _file_of(one))}
        if not new:
            return set(found)
        found |= {name: code_of(path.read_text(encoding="utf-8")) for name, path in new.items()}
        read += [found[name] for name in new]


def _at_home(name: str, lazy: Mapping[str, Mapping[str, str]]) -> str:
    """Return the module that a name of a lazy package lives in; any other name as it is."""
    package, _, last = name.rpartition(".")
    home = lazy.get(package, {})
    return f"{package}.{home[last]}" if last in home else name


def _file_of(name: str) -> Path | None:
    """Return the file of a module of ours, None of any other name."""
    path = LIBRARY.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file if file.is_file() else None


@cache
def code_of(text: str) -> Code:
    """Return what code says and takes.

    Of ``from a import b`` it takes both ``a`` and ``a.b``, then of ``b.c`` also ``a.b.c``.

    Raises
    ------
    SyntaxError
        If it is no Python.
    """
    tree = ast.parse(text)
    names: list[str] = []
    local: dict[str, str] = {}  # name in the code -> dotted name
    nodes = list(_what_runs(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            local |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in local:
            names.append(f"{local[node.value.id]}.{node.attr}")
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    listed = [node.value for node in tree.body if _assigned(node) == "_HOME"]
    home = by_name(ast.literal_eval(listed[0])) if listed else {}
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:]
    return Code(tuple(names), frozenset(texts), home, text_hash(ast.dump(tree)))


def _what_runs(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree, but for imports that only annotations need and the list of lazy names."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        annotates = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not annotates and _assigned(node) != "_HOME":
            yield from _what_runs(node)


def _assigned(node: ast.AST) -> str:
    """Return the name a statement gives a value to, "" if it is no assignment to one name."""
    targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
    return targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else ""
