"""Count code lines as the budget means them: no blanks, comments or docstrings, told by the syntax tree.

``python tests/house/code_lines.py`` prints them by room.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(text: str) -> int:
    """Return the number of lines on which a program says something."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    said = {line for one in tokens if one.type not in _LAYOUT for line in range(one.start[0], one.end[0] + 1)}
    return len(said - docstrings)


def of_package(folder: Path) -> int:
    """Return the code lines of all modules below a folder."""
    return sum(code_lines(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py"))


def by_room(folders: Iterable[Path]) -> Counter[str]:
    """Return the code lines of each room: a folder of a package, or a module beside the folders."""
    found: Counter[str] = Counter()
    for folder in folders:
        for path in folder.rglob("*.py"):
            room = "/".join([folder.name, *path.relative_to(folder).parts[:-1][:2]])
            found[room] += code_lines(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    library = Path(__file__).resolve().parents[2] / "lib"
    packages = [library / "exprml", library / "exprml_press"]
    for room, lines in sorted(by_room(packages).items()):
        print(f"{lines:6} {room}")
    for package in packages:
        print(f"{of_package(package):6} {package.name} altogether")
