"""Parameters: typed literals, and what may be given for them."""

import pytest

from exprml.base.errors import ExprmlError, ParameterError
from exprml.book.parameters import fit, parse
from exprml_press.cli.run import from_text

CELL = '''"""A docstring is fine."""
n_folds: int = 5  # folds
rate: float = 1  # an int for a float
flag: bool = True
name: str = "yes"
fractions: list[float] = [0.1, 1]
kind: Literal["mixed", "linear"] = "mixed"
depth: int | None = None
'''


@pytest.fixture
def declared():
    return parse(CELL, "a notebook")


def test_literals_become_values_of_their_type(declared):
    values = {name: one.value for name, one in declared.items()}
    assert values == {
        "n_folds": 5, "rate": 1.0, "flag": True, "name": "yes", "fractions": [0.1, 1.0], "kind": "mixed",
        "depth": None,
    }  # fmt: skip
    assert isinstance(values["rate"], float)
    assert all(isinstance(one, float) for one in values["fractions"])


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("flag", "false", False),
        ("name", "false", "false"),
        ("name", "3", "3"),
        ("rate", "1e-3", 0.001),
        ("rate", "2", 2.0),
        ("n_folds", "7", 7),
        ("fractions", "[0.5, 1]", [0.5, 1.0]),
        ("kind", "linear", "linear"),
        ("depth", "None", None),
        ("depth", "4", 4),
    ],
)
def test_text_is_read_by_the_parameters_type(declared, name, text, value):
    read = from_text(text, declared[name].kind, name)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n_folds", "abc"), ("n_folds", "1.5"), ("n_folds", "true"), ("flag", "1"), ("flag", "maybe"),
        ("rate", "fast"), ("rate", "true"), ("kind", "cubic"), ("fractions", "0.5"), ("fractions", "[a]"),
        ("n_folds", "None"), ("rate", ""), ("n_folds", "{"), ("rate", "[1,"), ("flag", "2024-13-45"),
        ("n_folds", "!!python/name:os.system"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_refused_by_name(declared, name, text):
    with pytest.raises(ParameterError, match=name):
        from_text(text, declared[name].kind, name)


def test_yaml_that_writes_a_number_as_text_still_gives_a_float():
    assert fit("1e-3", "float", "rate") == 0.001
    with pytest.raises(ParameterError, match="expected int"):
        fit("3", "int", "n")


@pytest.mark.parametrize("line", ["n = 3", "n: int = len('abc')", "import os", "n: integer = 3"])
def test_a_parameters_cell_holds_typed_literals_only(line):
    with pytest.raises(ExprmlError, match="parameters cell of here"):
        parse(line, "here")


def test_a_literal_that_contradicts_its_own_type_is_refused():
    with pytest.raises(ParameterError, match="'n' of here"):
        parse("n: int = 'three'", "here")
