"""The hash of a module changes with what it says, not with how it is written or explained."""

import os
import shutil

import pytest

from exprml.base import code_hash as code

CODE = """\"""A module.\"""


class Scale:
    \"""A scale.\"""

    def apply(self, x):
        \"""Do it.\"""
        return 2 * x
"""


def hash_of(module: str) -> str:
    return code.library_hash(code.modules_of(f"import {module}"))


@pytest.mark.parametrize(
    "change",
    [
        lambda code: "# a comment\n" + code.replace("2 * x", "2*x  # twice"),
        lambda code: code.replace('"""A module."""', '"""Another\n\nword."""').replace("Do it.", "Double."),
        lambda code: code.replace('        """Do it."""\n', "").replace('    """A scale."""\n', ""),
    ],
    ids=["comments", "docstrings", "none"],
)
def test_comments_layout_and_docstrings_change_nothing(change):
    assert code.code_of(change(CODE)).said == code.code_of(CODE).said


def test_a_changed_number_or_text_changes_it():
    changed = [CODE.replace("2 * x", "3 * x"), CODE.replace("return", 'say = "A scale."; return')]
    assert len({code.code_of(text).said for text in [CODE, *changed]}) == 3


def test_the_hash_of_a_module_of_ours_follows_what_it_imports_of_ours(monkeypatch, tmp_path):
    package = tmp_path / "exprml"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "reads.py").write_text("import json\nfrom exprml.shares import scale\n", encoding="utf-8")
    monkeypatch.setattr(code, "LIBRARY", tmp_path)
    hashes = []
    for number, text in enumerate(["scale = 1\n", "scale = 1  # one\n", "scale = 2\n"]):
        (package / "shares.py").write_text(text, encoding="utf-8")
        os.utime(package / "shares.py", ns=(number, number))
        hashes.append(hash_of("exprml.reads"))
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("reader", ["heil2022", "chen2016"])
def test_a_reader_s_hash_follows_the_formats_that_are_imported_on_first_use(monkeypatch, tmp_path, reader):
    shutil.copytree(code.LIBRARY / "exprml", tmp_path / "exprml")
    monkeypatch.setattr(code, "LIBRARY", tmp_path)
    hashes = []
    for more in ("", "MORE = 1\n"):
        with open(tmp_path / "exprml/data/formats/gct.py", "a", encoding="utf-8") as file:
            file.write(more)
        hashes.append(hash_of(f"exprml.data.readers.{reader}"))
    assert hashes[0] != hashes[1]


def test_a_table_counts_with_the_module_of_its_name_else_with_its_package(monkeypatch, tmp_path):
    shutil.copytree(code.LIBRARY / "exprml", tmp_path / "exprml")
    monkeypatch.setattr(code, "LIBRARY", tmp_path)
    folder = tmp_path / "exprml/models/presets"
    papers = [f"exprml.models.presets.{one}" for one in ("heil2022", "okeke2023")]
    hashes = [[hash_of(one) for one in papers]]
    for name in ("okeke2023.yml", "of-no-module.yml"):
        with open(folder / name, "a", encoding="utf-8") as file:
            file.write("# more\n")
        hashes.append([hash_of(one) for one in papers])
    assert hashes[0][0] == hashes[1][0] != hashes[2][0]
    assert hashes[0][1] != hashes[1][1] != hashes[2][1]
