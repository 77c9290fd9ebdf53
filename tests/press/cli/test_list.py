"""`exprml list`: notebooks, and the home of every experiment."""

import pytest

from exprml.base.errors import ExprmlError, UnknownNameError
from exprml_press import cli
from exprml_press.cli.list import homes


def test_every_experiment_has_its_notebook_or_none_yet():
    assert homes({"a": ["one"], "b": ["three"]}, ["one", "two", "three"]) == {
        "one": "a", "two": None, "three": "b",
    }  # fmt: skip


def test_unknown_and_twice_claimed_experiments_are_errors():
    with pytest.raises(UnknownNameError, match="did you mean 'one'"):
        homes({"a": ["on"]}, ["one"])
    with pytest.raises(ExprmlError, match="'one' lives in two notebooks: a and b"):
        homes({"a": ["one"], "b": ["one"]}, ["one"])


def test_command_lists_both(project, capsys):
    (project.root / "data/experiments.csv").write_text("id,paper\npaper-one,paper\npaper-two,paper\n")
    project.add("paper/a", "1", experiments=["one"], minutes={"smoke": 0.1, "default": 2})
    assert cli.main(["list", "--experiments"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["paper-one", "paper/a"]
    assert lines[2].split(maxsplit=1) == ["paper-two", "no home yet"]
    assert lines[-1] == "1 of 2 experiments have a notebook"
    assert cli.main(["list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["paper/a", "0.1", "2", "1", "none"]
