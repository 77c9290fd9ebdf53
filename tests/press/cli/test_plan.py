"""`exprml plan`: what a run needs, said before it starts."""

import shutil

import pandas as pd
import pytest

from exprml.base.files import project_root
from exprml_press import cli
from exprml_press.cli import plan

HOME = project_root()
GENES = {"default": ["probe-twin"], "paper": ["dgex-maps", "probe-twin"]}


@pytest.fixture
def book(project):
    shutil.copyfile(HOME / "data" / "catalogue.yml", project.root / "data" / "catalogue.yml")
    entry = {"minutes": {"paper": 90}, "memory_mb": {"paper": 48000}, "data": {"genes": GENES}}
    project.add("chen2016/a", "1", **entry)
    project.add("chen2016/b", "1", minutes={"paper": 30})
    return project


def test_it_names_files_with_size_and_source_what_is_there_and_the_sums(book, capsys):
    here = book.root / "data/raw/dgex_maps/map_lm.txt"
    here.parent.mkdir(parents=True)
    here.write_text("a file")
    assert cli.main(["plan", "--profile", "paper"]) == 0
    said = capsys.readouterr().out
    assert "dgex_maps/map_lm.txt (0.0 MB): here" in said
    assert "dgex_maps/map_tg.txt (0.4 MB): https://" in said
    assert "hours: 2.0 one after the other" in said
    assert "memory: up to 48 GB" in said
    assert "disk: 0.4 MB in files of known size; 0 of unknown size" in said
    assert not (book.root / "data/plan.json").exists()


def test_other_profiles_ask_for_their_own_data(book, capsys):
    assert cli.main(["plan"]) == 0
    said = capsys.readouterr().out
    assert "probe-twin: made by the library" in said
    assert "dgex" not in said


def test_hours_follow_from_the_measured_steps(book):
    assert plan.measured() == []
    rows = {"bench": ["D-GEX, an epoch at batch 200"], "ours_seconds": [3.0], "hardware": ["a chip, load 1"]}
    (book.root / "bench").mkdir()
    pd.DataFrame(rows).to_csv(book.root / "bench" / "report.csv", index=False)
    (line,) = plan.measured()
    hours = 3 * 88_807 / 3_000 * 200 * 2 / 3600
    assert f"{hours:,.0f} hours without a GPU, from steps measured on a chip" in line
