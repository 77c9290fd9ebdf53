"""`exprml new change-compression`: tables of changes are checked, and the notebook runs."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.book import results
from exprml.data import user_files
from exprml.data.simulate.changes import changes_twin
from exprml_press import cli

TINY = ["epochs=1", "hidden=4", "n_genes=20", "codes=[2]"]
ARMS = ["--samples-in", "rows", "--label", "arm", "--reference"]
COUNTS = ["--expression", "data/counts.tsv", *ARMS, "none"]
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
    sets = sets_of(changes)
    foreign = "set 0\t\tAKT1\tTP53\n"
    for name, lines in {"sets": sets, "foreign": foreign, "hollow": sets + "empty\tnote\n"}.items():
        (project.root / "data" / f"{name}.gmt").write_text(lines)
    write_counts(project.root / "data", table.columns)
    table.T.to_csv(project.root / "data" / "columns.tsv", sep="\t")
    series.to_csv(project.root / "data" / "series.csv")
    return project.root


def sets_of(changes: AnnData) -> str:
    """Return the programmes of a twin as GMT."""
    members = np.asarray(changes.varm["terms"]).T != 0
    lines = ["\t".join([f"set {at}", "", *changes.var_names[one]]) for at, one in enumerate(members)]
    return "\n".join(lines) + "\n"


def write_counts(folder: Path, genes: pd.Index) -> None:
    """Write counts of 6 series with two treatments, of which one has ten genes up; and spoilt ones."""
    draws = np.random.default_rng(0)
    rows, obs = [], []
    for at in range(6):
        level = draws.uniform(50, 500, len(genes))
        for arm, samples in (("none", 2), ("drug", 2), ("heat", 1)):
            factor = np.ones(len(genes))
            factor[at : at + 10] = 16 if arm == "drug" else 1
            rows += [draws.poisson(level * factor) for _ in range(samples)]
            obs += [{"series": f"S{at}", "arm": arm}] * samples
    table = pd.DataFrame(rows, columns=genes, index=[f"run{at}" for at in range(len(rows))])
    table.index.name, obs = "run", pd.DataFrame(obs, index=table.index)
    none, drug = ((obs["series"] == "S1") & (obs["arm"] == arm) for arm in ("none", "drug"))
    few = obs.index[((obs["series"] == "S1") & (obs["arm"] == "none"))][:1]
    spoilt = {"counts": table, "halves": table / 2, "alone": table.drop(few), "bare": table[~none]}
    spoilt["untouched"] = table[~drug & ~((obs["series"] == "S1") & (obs["arm"] == "heat"))]
    for name, one in spoilt.items():
        one.join(obs).to_csv(folder / f"{name}.tsv", sep="\t")


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


def test_terms_are_told_from_codes_beside_the_prior(here, capsys):
    larger = changes_twin(20, 200, n_terms=12)
    larger.to_df().assign(series=larger.obs["series"]).to_csv(here / "data" / "rows.tsv", sep="\t")
    (here / "data" / "sets.gmt").write_text(sets_of(larger))
    assert ask(*ROWS, "--terms", "data/sets.gmt", "--output", "my/c") == 0
    assert "12 of 12 sets have 5 genes or more here" in capsys.readouterr().out
    changes = [word for one in TINY for word in ("-p", one)]
    assert cli.main(["run", "my/c", *changes]) == 0, capsys.readouterr().out
    table = results.parse_table(here / "my" / "c-changed-results.csv")
    told = table[table["experiment"] == "own-terms"]
    assert set(told["metric"]) == {"term_auroc", "contrast_auroc"}
    assert {"raw changes", "PCA", "control/prior"} < set(told["model"])
    prior = told[(told["model"] == "control/prior") & (told["metric"] == "term_auroc")]
    assert (prior["value"] == 0.5).all()  # the same answer for every contrast
    page = re.sub(r"<.*?>", "", (here / "my" / "c-changed.html").read_text())
    assert "Terms. For a contrast, ahead of the prior:" in page


def test_counts_become_contrasts_with_the_controls_of_their_series(here, capsys):
    assert ask(*COUNTS, "--output", "my/c") == 0
    said = capsys.readouterr().out
    assert "12 contrasts of a label with 'none' of its series, by limma" in said
    assert "6 series of up to 2 contrasts" in said
    assert "--log" not in said
    names = {"label": "arm", "group": "series", "reference": "none", "least_reads": 10}
    cells = ["".join(one["source"]) for one in json.loads((here / "my" / "c.ipynb").read_text())["cells"]]
    space = {**names}
    exec(next(one for one in cells if one.startswith("from dataclasses")), space)
    exec(next(one for one in cells if one.startswith("def contrasts_of")), space)
    counts = user_files.load("data/counts.tsv", samples_in="rows", label="arm", group="series")
    found = space["contrasts_of"](counts)
    assert list(found.obs_names[:2]) == ["S0: drug", "S0: heat"]
    assert list(found.obs["series"]) == [f"S{at}" for at in range(6) for _ in range(2)]
    up = found["S3: drug"].to_df().iloc[0]
    assert set(up.nlargest(10).index) == set(counts.var_names[3:13])
    assert "12 contrasts with 'none' of the same series" in found.uns["user_files"]["notes"][-1]


def test_contrasts_may_stand_in_columns_and_the_series_in_a_file(here):
    told = ["--expression", "data/columns.tsv", "--samples-in", "columns", "--labels", "data/series.csv"]
    assert ask(*told) == 0


WRONG = [
    ([*ROWS, "--group", "serie"], "unknown metadata column 'serie': did you mean 'series'"),
    ([*ROWS, "--group", ""], "--group is missing: exprml new change-compression --expression FILE"),
    ([*ROWS, "--label", "series"], "--label and --reference go together"),
    ([*ROWS, "--plate", "series"], "--plate has no use in change-compression"),
    ([*ROWS, "--terms", "data/foreign.gmt"], "data/foreign.gmt: none of 1 sets has 5 genes among yours"),
    ([*ROWS, "--terms", "data/hollow.gmt"], "hollow.gmt, line 5: the set 'empty' has no genes; delete the"),
    ([*ROWS, "--terms", "data/none.gmt"], "No such file or directory (data/none.gmt)"),
    ([*COUNTS[:-1], "non"], "unknown reference 'non': did you mean 'none'"),
    (["--expression", "data/halves.tsv", *ARMS, "none"], "data/halves.tsv: "),
    (["--expression", "data/halves.tsv", *ARMS, "none"], "is no count: give reads by gene"),
    (["--expression", "data/bare.tsv", *ARMS, "none"], "series 'S1' has an empty group (0 samples 'none', 3"),
    (["--expression", "data/untouched.tsv", *ARMS, "none"], "an empty group (2 samples 'none', 0 others)"),
    (["--expression", "data/alone.tsv", *ARMS, "none"], "series 'S1' has one sample 'heat' and one control"),
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
