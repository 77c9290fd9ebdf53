"""The hash of a module changes with what it says, not with how it is written or explained."""

import os
import shutil

import pytest

from exprml.base import code_hash as code
from exprml.base.code_hash import tree_hash

CODE = """\"""A module.\"""


class Scale:
    \"""A scale.\"""

    def apply(self, x):
        \"""Do it.\"""
        return 2 * x
"""


@pytest.fixture
def module(tmp_path):
    def write(text: str):
        path = tmp_path / f"{abs(hash(text))}.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    "change",
    [
        lambda code: "# a comment\n" + code.replace("2 * x", "2*x  # twice"),
        lambda code: code.replace('"""A module."""', '"""Another\n\nword."""').replace("Do it.", "Double."),
        lambda code: code.replace('        """Do it."""\n', "").replace('    """A scale."""\n', ""),
    ],
    ids=["comments", "docstrings", "none"],
)
def test_comments_layout_and_docstrings_change_nothing(module, change):
    assert tree_hash(module(change(CODE))) == tree_hash(module(CODE))


def test_a_changed_number_or_text_changes_it(module):
    changed = [CODE.replace("2 * x", "3 * x"), CODE.replace("return", 'say = "A scale."; return')]
    assert len({tree_hash(module(code)) for code in [CODE, *changed]}) == 3


def test_a_file_written_anew_is_read_again(module):
    path = module(CODE)
    before = tree_hash(path)
    path.write_text(CODE.replace("2 * x", "3 * x"), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert tree_hash(path) != before


def test_the_hash_of_a_module_of_ours_follows_what_it_imports_of_ours(monkeypatch, tmp_path):
    package = tmp_path / "exprml"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "reads.py").write_text("import json\nfrom exprml.shares import scale\n", encoding="utf-8")
    monkeypatch.setattr(code, "_LIBRARY", tmp_path)
    hashes = []
    for number, text in enumerate(["scale = 1\n", "scale = 1  # one\n", "scale = 2\n"]):
        (package / "shares.py").write_text(text, encoding="utf-8")
        os.utime(package / "shares.py", ns=(number, number))
        code.code_hash.cache_clear()
        hashes.append(code.code_hash("exprml.reads"))
    code.code_hash.cache_clear()
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("reader", ["heil2022", "chen2016"])
def test_a_reader_s_hash_follows_the_formats_that_are_imported_on_first_use(monkeypatch, tmp_path, reader):
    shutil.copytree(code._LIBRARY / "exprml", tmp_path / "exprml")
    monkeypatch.setattr(code, "_LIBRARY", tmp_path)
    hashes = []
    for more in ("", "MORE = 1\n"):
        with open(tmp_path / "exprml/data/formats/gct.py", "a", encoding="utf-8") as file:
            file.write(more)
        code.code_hash.cache_clear()
        hashes.append(code.code_hash(f"exprml.data.readers.{reader}"))
    code.code_hash.cache_clear()
    assert hashes[0] != hashes[1]
