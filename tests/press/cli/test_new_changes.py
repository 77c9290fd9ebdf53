"""`exprml new change-compression`: tables of changes are checked, and the notebook runs."""

import json
import re

import numpy as np
import pytest

from exprml.book import results
from exprml.data.simulate.changes import changes_twin
from exprml_press import cli

TINY = ["epochs=1", "hidden=4", "n_genes=20", "codes=[2]"]
ROWS = ["--expression", "data/rows.tsv", "--samples-in", "rows"]


@pytest.fixture
def here(project, monkeypatch):
    """Stand in an empty project with contrasts of 10 series in a table, which names the series."""
    monkeypatch.chdir(project.root)
    changes = changes_twin(10, 50, n_terms=4)
    series = changes.obs["series"]
    table = changes.to_df()
    spoilt = {"rows": table, "expression": table.abs(), "two": table[series.isin(sorted(set(series))[:2])]}
    spoilt["infinite"] = table.copy()
    spoilt["infinite"].iloc[2, 3] = np.inf
    spoilt["narrow"] = table.iloc[:, :3]
    for name, one in spoilt.items():
        one.assign(series=series).to_csv(project.root / "data" / f"{name}.tsv", sep="\t")
    table.T.to_csv(project.root / "data" / "columns.tsv", sep="\t")
    series.to_csv(project.root / "data" / "series.csv")
    return project.root


def ask(*arguments: str) -> int:
    return cli.main(["new", "change-compression", "--group", "series", *arguments])


def test_it_is_written_with_codes_that_fit_and_runs(here, capsys):
    assert ask(*ROWS, "--output", "my/c") == 0
    said = capsys.readouterr().out
    assert re.search(r"10 series of up to 3 contrasts; \d+ or more contrasts train", said)
    assert "warning" not in said
    cells = json.loads((here / "my" / "c.ipynb").read_text())["cells"]
    assert any("codes: list = [2]  #" in "".join(cell["source"]) for cell in cells)
    changes = [word for one in TINY for word in ("-p", one)]
    assert cli.main(["run", "my/c", *changes]) == 0, capsys.readouterr().out
    table = results.parse_table(here / "my" / "c-changed-results.csv")
    by_experiment = table.groupby("experiment")["setting"].agg(set).to_dict()
    assert by_experiment == {
        "own-codes": {"code 2", "no code"},
        "own-control": {"scrambled genes"},
        "own-checks": {"single contrasts"},
    }
    errors = table[(table["metric"] == "relative_squared_error") & (table["task"] == "reconstruction")]
    mean = errors.groupby(["setting", "model"])["value"].mean()
    assert mean["no code", "control/no-change"] == 1
    assert mean["code 2", "PCA"] < mean["scrambled genes", "PCA"]
    page = re.sub(r"<.*?>", "", (here / "my" / "c-changed.html").read_text())
    for words in ("The verdict", "Median correlation of two contrasts", "The habit."):
        assert words in page


def test_contrasts_may_stand_in_columns_and_the_series_in_a_file(here):
    told = ["--expression", "data/columns.tsv", "--samples-in", "columns", "--labels", "data/series.csv"]
    assert ask(*told) == 0


WRONG = [
    ([*ROWS, "--group", "serie"], "unknown metadata column 'serie': did you mean 'series'"),
    ([*ROWS, "--group", ""], "--group is missing: exprml new change-compression --expression FILE"),
    ([*ROWS, "--label", "series"], "--label has no use in change-compression"),
    ([*ROWS, "--folds", "2"], "--folds 2: at least 3 are needed"),
    ([*ROWS, "--folds", "11"], "'series' has 10 series (GSESIM"),
    (["--expression", "data/two.tsv", *ROWS[2:]], "for 5 folds: one tests, one chooses, the others train"),
    (["--expression", "data/infinite.tsv", *ROWS[2:]], "infinite value at sample 'contrast-0003', gene"),
    (["--expression", "data/expression.tsv", *ROWS[2:]], "no value is below zero, so these are no log fold"),
    (["--expression", "data/narrow.tsv", *ROWS[2:]], "there are 3 genes: the shortest code (2) needs 4"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_what_cannot_be_compared_is_refused_and_nothing_written(here, refused, arguments, words):
    refused(ask, arguments, words)
