"""The key of a notebook: a hash of everything its page depends on, and of nothing else.

Time stamps do not enter: a touched file reruns nothing, data changed under an old date reruns its readers.
"""

from __future__ import annotations

import ast
import json
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.code_hash import tree_hash
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
    modules = modules_of(f"{notebook.code}\n{dict(values)!r}")
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


def library_hash(modules: Iterable[str]) -> str:
    """Return the hash of what the given modules say, and of the tables that lie in their packages.

    Comments, layout and docstrings say nothing: a change there reruns no page.
    """
    files = {_file_of(name) for name in modules}
    roots = {LIBRARY / name for name in PACKAGES}
    folders = {path.parent for path in files if path.name == "__init__.py"} - roots
    lying = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    hashes = {path: file_hash(path) for path in lying if path.suffix not in (".py", ".pyc")}
    hashes |= {path: tree_hash(path) for path in files}
    return text_hash(as_json({path.relative_to(LIBRARY).as_posix(): one for path, one in hashes.items()}))


def modules_of(code: str) -> set[str]:
    """Return the modules of ours that code uses, and those that they use.

    An import counts wherever it stands, but for annotations alone (``TYPE_CHECKING``). Of a package that
    brings its names in on first use (a dict ``_HOME``: name -> module) only the modules count whose names
    the code takes (``figures.confusion``), or writes in or before the stroke of a text
    ("heil2022/five-layer") where it uses the package.
    """
    found: dict[str, Uses] = {}
    uses = [Uses(_ALWAYS), uses_of(code)]
    while True:
        lazy = {name: one.home for name, one in found.items() if one.home}
        named = {name for one in uses for name in one.names}
        named |= {
            f"{package}.{word}"
            for package, home in lazy.items()
            for one in uses
            if package in one.names
            for text in one.texts
            if (word := text if text in home else text.partition("/")[0]) in home
        }
        named |= {_at_home(name, lazy) for name in named}
        named |= {above for name in named for above in accumulate(name.split("."), "{}.{}".format)}
        new = {name for name in named - set(found) if _file_of(name)}
        if not new:
            return set(found)
        found |= {name: _uses_of_module(name) for name in new}
        uses += [found[name] for name in new]


def _at_home(name: str, lazy: Mapping[str, Mapping[str, str]]) -> str:
    """Return the module that a name of a lazy package lives in; any other name as it is."""
    package, _, last = name.rpartition(".")
    home = lazy.get(package, {})
    return f"{package}.{home[last]}" if last in home else name


@dataclass(frozen=True)
class Uses:
    """What a piece of code takes from elsewhere."""

    names: tuple[str, ...]  # dotted names: imported modules, what is imported from them, ``module.name``
    texts: frozenset[str] = frozenset()
    home: Mapping[str, str] = field(default_factory=dict)  # of a lazy package: name -> module


def uses_of(code: str, package: str = "") -> Uses:
    """Return what code uses; of ``from a import b`` both ``a`` and ``a.b``, then ``b.c`` as ``a.b.c``.

    Parameters
    ----------
    code : str
    package : str
        The package the code lies in, to which relative imports are resolved.
    """
    names: list[str] = []
    local: dict[str, str] = {}  # name in the code -> dotted name
    texts: set[str] = set()
    nodes = list(_what_runs(ast.parse(code)))
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            local |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.add(node.value)
    names += [
        f"{local[node.value.id]}.{node.attr}"
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in local
    ]
    return Uses(tuple(names), frozenset(texts), _home_of(nodes[0]))


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


def _home_of(tree: ast.Module) -> Mapping[str, str]:
    """Return the dict ``_HOME`` of a package that brings its names in on first use, {} of any other."""
    listed = [node.value for node in tree.body if _assigned(node) == "_HOME"]
    return ast.literal_eval(listed[0]) if listed else {}


@lru_cache
def _uses_of_module(name: str) -> Uses:
    path = _file_of(name)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return uses_of(path.read_text(encoding="utf-8"), package)


def _file_of(name: str) -> Path | None:
    parts = name.split(".")
    path = LIBRARY.joinpath(*parts)
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return file if parts[0] in PACKAGES and file.is_file() else None


def _tables(notebook: Notebook, modules: set[str]) -> list[Path]:
    """Return the committed tables a page reads: published numbers, reference runs, the ledger."""
    tables = sorted(data_folder("published").glob("*"))
    tables += [data_folder("claims.yml")] if _LEDGER in modules else []
    for name in (notebook.name, *notebook.needs):
        reference = data_folder("reference", name)
        tables += sorted(reference.parent.glob(reference.name + "*"))
    return [path for path in tables if path.is_file()]
