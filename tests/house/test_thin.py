"""The library keeps its promise to be thin: its size, and that somebody calls what it offers."""

import ast
import csv
import importlib.util
import json
import re
from collections import Counter

import pytest

from exprml.base.files import project_root

HERE = project_root() / "tests" / "house"
LIBRARY = project_root() / "lib"
# As promised for five papers; from here the numbers may only fall.
BUDGET = {"exprml": 12_000, "exprml_press": 2_700}
CALLED_FROM_OUTSIDE = {
    "_get_support_mask": "scikit-learn's SelectorMixin",
    "get_n_splits": "scikit-learn's splitters",
    "setup": "Sphinx's extensions",
}

_spec = importlib.util.spec_from_file_location("code_lines", HERE / "code_lines.py")
counting = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(counting)


def test_what_is_counted():
    text = '"""W.\n\nMore."""\n\n# why\nx = (\n    1,  # one\n)\n\n\ndef f():\n    """Say."""\n    return x\n'
    assert counting.code_lines(text) == 5


@pytest.mark.parametrize("package", BUDGET)
def test_the_budget_is_kept(package):
    assert counting.of_package(LIBRARY / package) <= BUDGET[package]


def names_in_code(text: str) -> Counter[str]:
    """Return how often code says each name: as a name, an attribute, or a text that is one word.

    Docstrings say nothing, nor do lists of what a package offers.
    """
    said: Counter[str] = Counter()
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        targets = [
            ast.unparse(one) for one in getattr(node, "targets", [getattr(node, "target", None)]) if one
        ]
        if targets in (["__all__"], ["_HOME"]):
            continue
        if isinstance(node, ast.Name):
            said[node.id] += 1
        elif isinstance(node, ast.Attribute):
            said[node.attr] += 1
        elif isinstance(node, ast.Constant) and re.fullmatch(r"\w+", str(node.value)):
            said[str(node.value)] += 1
        waiting += ast.iter_child_nodes(node)
    return said


def names_in_notebooks() -> Counter[str]:
    said: Counter[str] = Counter()
    for folder in ("notebooks", "lib"):
        for path in (project_root() / folder).rglob("*.ipynb"):
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
                if cell["cell_type"] == "code":
                    said.update(re.findall(r"\w+", "".join(cell["source"])))
    return said


def names_in_benches() -> Counter[str]:
    """Return the names in benches that have a row in the report; another bench is no caller."""
    with open(project_root() / "bench/report.csv", encoding="utf-8") as file:
        rows = " ".join(row["bench"] for row in csv.DictReader(file))
    said: Counter[str] = Counter()
    for path in (project_root() / "bench").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if any(name in text for name in rows.split() if len(name) > 4):
            said += names_in_code(text)
    return said


def uncalled(texts: dict[str, str], outside: Counter[str]) -> list[str]:
    """Return the functions, classes and methods that nothing in the texts or outside says the name of."""
    said = outside.copy()
    for text in texts.values():
        said += names_in_code(text)
    found = []
    for name, text in texts.items():
        for node in ast.walk(ast.parse(text)):
            defined = isinstance(node, (ast.FunctionDef, ast.ClassDef))
            if defined and not node.name.startswith(("__", "visit_")):
                found += [f"{name}: {node.name}"] * (said[node.name] == 0)
    return found


def test_nothing_is_offered_that_only_tests_call():
    texts = {
        str(path.relative_to(LIBRARY)): path.read_text(encoding="utf-8") for path in LIBRARY.rglob("*.py")
    }
    outside = names_in_notebooks() + names_in_benches() + Counter(list(CALLED_FROM_OUTSIDE))
    named = [
        project_root() / "Snakefile",
        project_root() / "data/catalogue.yml",
    ]  # entries name their readers
    for path in [*named, *(LIBRARY / "exprml/models/presets").glob("*.yml")]:  # and presets their models
        outside += Counter(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    assert uncalled(texts, outside) == []


def test_a_function_without_a_caller_is_found():
    texts = {"a.py": "def used():\n    pass\n\n\ndef left():\n    used()\n"}
    assert uncalled(texts, Counter()) == ["a.py: left"]
    assert uncalled(texts, Counter(["left"])) == []
