"""The house stands as CONTRIBUTING.md draws it: who may import whom, how large a room may grow."""

import ast
import graphlib
import re
import subprocess
import sys

import pytest
import yaml

from exprml.base.files import project_root

LIBRARY = project_root() / "lib"
FILES = sorted(LIBRARY.rglob("*.py"))
MAY_IMPORT = {
    "base": {"base"},
    "data": {"base", "data"},
    "models": {"base", "models"},
    "evaluation": {"base", "evaluation"},
    "book": {"base", "data", "evaluation", "book"},
    "exprml_press": {"base", "data", "models", "evaluation", "book", "exprml_press"},
}
MOST_LINES, MOST_BODY = 400, 50


def wing_of(module: str) -> str:
    """Return the wing a module of the library lies in; the press is one."""
    package, _, rest = module.partition(".")
    return rest.split(".")[0] if package == "exprml" else package


def imported_wings(path) -> set[str]:
    modules = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "exprml":
            modules += [f"exprml.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.append(node.module)
        elif isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
    return {wing_of(module) for module in modules if module.partition(".")[0] in ("exprml", "exprml_press")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_no_room_imports_upward(path):
    wing = wing_of(".".join(path.relative_to(LIBRARY).with_suffix("").parts))
    assert imported_wings(path) <= MAY_IMPORT.get(wing, set())


def name_of(path) -> str:
    parts = path.relative_to(LIBRARY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules_imported(source: str, known: set[str]) -> set[str]:
    """Return the modules of ours that a module imports anywhere, for annotations too; not their packages."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & known
            found |= inside or {node.module} & known
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names} & known
    return found


def circle(imports: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, [] if there is none."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def test_no_module_is_reached_from_itself():
    known = {name_of(path) for path in FILES}
    assert circle({name_of(path): modules_imported(path.read_text(), known) for path in FILES}) == []


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == []
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}})) == {"a", "b", "c"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_rooms_and_functions_stay_small(path):
    source = path.read_text()
    assert len(source.splitlines()) <= MOST_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            assert node.end_lineno - first.lineno < MOST_BODY, node.name


def _mode(call: ast.Call) -> str:
    """Return the mode of an `open` as it is written; that of `gzip.open` is binary unless it says so."""
    given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    return ast.unparse(given[0]) if given else "b" if ast.unparse(call.func) == "gzip.open" else "r"


def test_text_is_utf_8_whatever_the_locale_says():
    for path in [*FILES, project_root() / "bootstrap.py"]:
        for call in (
            one for one in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(one, ast.Call)
        ):
            name, words = ast.unparse(call.func), {word.arg for word in call.keywords}
            as_text = (
                (name.endswith(".read_text") and not call.args)
                or (name in ("open", "gzip.open") and "b" not in _mode(call))
                or (name.startswith("subprocess.") and "text" in words)
            )
            assert not as_text or "encoding" in words, (
                f"{path.name}, line {call.lineno}: say encoding='utf-8'"
            )


def test_nothing_is_pickled():
    for path in FILES:
        assert not re.search(r"^\s*(import|from) (pickle|joblib|dill)\b", path.read_text(), flags=re.M), path


def test_the_door_opens_without_torch_or_pandas():
    heavy = "{'torch', 'pandas', 'sklearn'}"
    code = f"import sys, exprml_press.cli; exprml_press.cli.make_parser(); print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_no_tracked_text_carries_a_path_of_a_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=project_root(), capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    pattern = re.compile(r"(?<![\w.])/(home|Users|root|work)/\w")
    for name in listed.stdout.split():
        path = project_root() / name
        if "vendor" in name or path.suffix not in {
            ".py",
            ".md",
            ".yml",
            ".json",
            ".csv",
            ".ipynb",
            ".toml",
            "",
        }:
            continue
        found = pattern.search(path.read_text(encoding="utf-8"))
        assert not found or name.startswith("tests/"), f"{name}: {found[0]}"


def test_every_data_set_has_its_card_in_the_table_of_contents():
    known = yaml.safe_load((project_root() / "data" / "catalogue.yml").read_text())
    cards = re.findall(r"data-cards/([a-z0-9-]+)", (project_root() / "_toc.yml").read_text())
    assert sorted(cards) == sorted([*known, "index"])
