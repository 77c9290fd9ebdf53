"""A tiny project in a temporary folder, for tests that run notebooks or read a project's files."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbformat import v4

HOME = Path(__file__).resolve().parents[1]


class Project:
    """A project folder with notebooks written from lists of code."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: dict[str, Any] = {}
        for name in ("notebooks", "book", "data"):
            (root / name).mkdir()
        for name in ("Snakefile", "constraints.txt"):
            shutil.copyfile(HOME / name, root / name)
        config = 'title: tiny\nonly_build_toc_files: true\nexecute: {execute_notebooks: "off"}\n'
        (root / "_config.yml").write_text(config)
        self._write_lists()

    def add(self, name: str, *code: str, parameters: str = "", experiments: Sequence[str] = (), **entry: Any):
        """Write notebook `name` with the given code cells and its entry in profiles.yml."""
        cells = [v4.new_markdown_cell(f"# {name}")]
        if parameters:
            cells.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        cells += [v4.new_code_cell(text) for text in code]
        for number, cell in enumerate(cells):
            cell["id"] = f"cell-{number}"
        document = v4.new_notebook(cells=cells, metadata={"exprml": {"experiments": list(experiments)}})
        path = self.root / "notebooks" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(document, path)
        self.entries[name] = {"smoke": {}, "rehearse": {}, **entry}
        self._write_lists()
        return path

    def _write_lists(self) -> None:
        (self.root / "notebooks" / "profiles.yml").write_text(yaml.safe_dump(self.entries))
        chapters = [{"file": f"notebooks/{name}"} for name in self.entries if name != "index"]
        toc = {"format": "jb-book", "root": "notebooks/index", **({"chapters": chapters} if chapters else {})}
        (self.root / "_toc.yml").write_text(yaml.safe_dump(toc))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return an empty project that everything under test takes for the book."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.setenv("EXPRML_ROOT", str(root))
    for name in ("EXPRML_DATA", "EXPRML_RUN", "EXPRML_PAGE"):
        monkeypatch.delenv(name, raising=False)
    return Project(root)
