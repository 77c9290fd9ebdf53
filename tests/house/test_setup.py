"""The set-up: which Pythons it takes, which PyTorch it asks for, and what it says where it may not write."""

import importlib.util
import re
import sys

import pytest

from exprml.base.files import project_root


@pytest.fixture
def setup(tmp_path, monkeypatch):
    """Return bootstrap.py as a module, for an empty project whose uv writes down how it was called."""
    where = project_root() / "bootstrap.py"
    found = importlib.util.spec_from_file_location("bootstrap", where)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    for name in module.PINS:
        (tmp_path / name).touch()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    return module


def uv_that(setup, exits: str):
    said = setup.ROOT / "said"
    uv = setup.VENV / "bin" / "uv"
    uv.write_text(f'#!/bin/sh\necho "$@" >> "{said}"\ncase "$*" in *--dry-run*) {exits};; esac\n')
    uv.chmod(0o755)
    assert setup.install_with_uv(again=False) == 0
    return said.read_text().splitlines()


def test_pytorch_is_asked_for_as_it_fits_the_machine(setup):
    question, answer = uv_that(setup, "exit 0")
    assert "--dry-run" in question
    assert "--torch-backend=auto" in answer
    assert "-e .[test,lab] -c constraints.txt" in answer


def test_without_pytorchs_index_the_ordinary_package_does(setup, capsys):
    _, answer = uv_that(setup, "echo 'error: dns' >&2; exit 2")
    assert "--torch-backend" not in answer
    said = capsys.readouterr()
    assert "out of reach" in said.out
    assert "dns" not in said.err


@pytest.mark.parametrize(
    ("version", "taken"), [((3, 10, 9), 0), ((3, 11, 0), 1), ((3, 13, 2), 1), ((3, 14, 0), 0)]
)
def test_pythons_from_3_11_to_3_13_are_taken(setup, monkeypatch, capsys, version, taken):
    monkeypatch.setattr(setup, "installed", lambda: True)
    monkeypatch.setattr(sys, "version_info", version)
    assert setup.main() == 1 - taken
    assert ("needs Python 3.11, 3.12 or 3.13" in capsys.readouterr().err) == (not taken)


def test_every_place_says_the_same_of_the_pythons(setup):
    assert (setup.OLDEST, setup.NEWEST) == ((3, 11), (3, 13))
    said = {
        name: (project_root() / name).read_text("utf-8") for name in ("pyproject.toml", "environment.yml")
    }
    assert 'requires-python = ">=3.11,<3.14"' in said["pyproject.toml"]
    assert "python>=3.11,<3.14" in said["environment.yml"]


def test_a_folder_that_cannot_be_written_is_said_in_words(setup, capsys):
    (setup.ROOT / "_build").touch()  # as good as a folder that nobody may write, also for root
    assert setup.main() == 1
    said = capsys.readouterr().err
    assert re.search(r"cannot write .*_build: File exists\.", said)
