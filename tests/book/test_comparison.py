"""Published, reference and own numbers: the same names, the same lines, nothing mixed."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, UnknownNameError
from exprml.book import claims, comparison, figures, results

FIVE, THREE, LINEAR = "heil2022/five-layer", "heil2022/three-layer", "heil2022/logistic-regression"


def rows(values, model=FIVE, task="tissues", setting="intact", **columns):
    """Return results rows, one per value, each another fold."""
    table = pd.DataFrame({"value": values, "fold": range(len(values))})
    fixed = {"experiment": "one", "control": "", "split": "group", "seed": 0, "n_train": 100}
    fixed["metric"] = "balanced_accuracy"
    table = table.assign(model=model, task=task, setting=setting, **(fixed | columns))
    return table.reindex(columns=list(results.COLUMNS)).astype({"n_train": "Int64"})


@pytest.fixture
def run_of(monkeypatch):
    """Return a function that makes a run of a chapter out of its table and the reference run's."""

    def made(this_run, reference, notebook="heil2022/02-gtex-tissues"):
        monkeypatch.setattr(results, "read_reference", {notebook: reference}.__getitem__)
        return SimpleNamespace(notebook=notebook, table=lambda: this_run)

    return made


def value(table, *key):
    """Return (value, low, high) of one task, setting and model."""
    found = table.set_index(["task", "setting", "model"]).loc[[key]]
    assert len(found) == 1
    return tuple(found.iloc[0][["value", "low", "high"]].astype(float).round(4))


@pytest.mark.parametrize(
    ("dataset", "key", "expected"),  # values and spreads read by hand from data/published/results.csv
    [
        ("GTEx", ("tissues", "intact", LINEAR), (0.8341, 0.7479, 0.9203)),
        ("GTEx", ("tissues", "removed", FIVE), (0.4268, 0.3542, 0.4994)),
        ("GTEx", ("Blood vs Brain", "removed", LINEAR), (0.5337, 0.4799, 0.5875)),
        ("Recount3", ("tissues", "removed", THREE), (0.0962, 0.0459, 0.1465)),
        ("Recount3", ("sex", "intact", FIVE), (0.88, 0.8428, 0.9172)),
        ("simulated", ("mixed", "removed", LINEAR), (0.4489, 0.4015, 0.4963)),
        ("simulated", ("linear", "intact", LINEAR), (0.8175, 0.8036, 0.8314)),
        ("simulated", ("noise", "removed", THREE), (0.5133, 0.5019, 0.5247)),
        ("simulated", ("noise", "removed jointly", FIVE), (0.6193, 0.5918, 0.6468)),
    ],
)
def test_ends_of_curves_agree_with_values_read_by_hand(dataset, key, expected):
    assert value(comparison.end_of_curves("heil2022", dataset), *key) == expected


def test_every_curve_of_figures_2_to_4_gets_our_names():
    ends = comparison.end_of_curves("heil2022")
    figures = ends[ends["item"].str.contains(r"^Fig [234]")]
    assert len(figures) == 6 + 6 + 6 + 60 + 18
    assert set(figures["model"]) == {FIVE, THREE, LINEAR}
    assert set(figures["setting"]) == {"intact", "removed"}
    pairs = figures["task"].str.fullmatch(r"[A-Z][A-Za-z ]+ vs [A-Z][A-Za-z ]+")
    assert pairs.sum() == 60
    assert set(figures["task"][~pairs]) == {"tissues", "sex", "mixed", "linear", "noise"}
    per_line = figures.groupby(["item", "task", "setting", "model"]).size()
    assert (per_line == 1).all()


def test_unknown_paper_or_data_set_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'heil2022'"):
        comparison.end_of_curves("heil2021")
    with pytest.raises(UnknownNameError, match=r"nobody2020.*names\.yml"):
        comparison.published_table("nobody2020", "Table 1")
    with pytest.raises(UnknownNameError, match="unknown data set of chen2016"):  # it has tables, no curves
        comparison.end_of_curves("chen2016")
    with pytest.raises(UnknownNameError, match="did you mean 'GTEx v8'"):
        comparison.end_of_curves("heil2022", "GTEx v9")


def test_mean_scores_are_means_and_ranges_at_the_largest_size():
    table = pd.concat([
        rows([0.9], control="shuffled labels"), rows([0.2, 0.6]), rows([0.7], seed=1, n_train=50),
        rows([0.0, 0.0], n_train=10), rows([0.9], metric="accuracy"), rows([np.nan], n_train=200),
        rows([0.3], setting="removed", n_train=10), rows([0.4], model=THREE, n_train=10),
    ])  # fmt: skip
    scores = comparison.mean_scores(table)
    assert len(scores) == 3
    assert value(scores, "tissues", "intact", FIVE) == (0.5, 0.2, 0.7)
    assert value(scores, "tissues", "removed", FIVE) == (0.3, 0.3, 0.3)
    assert value(scores, "tissues", "intact", THREE) == (0.4, 0.4, 0.4)
    assert value(comparison.mean_scores(table, "accuracy"), "tissues", "intact", FIVE) == (0.9, 0.9, 0.9)


def test_a_fit_that_two_experiments_share_counts_once():
    table = pd.concat([rows([0.2, 0.8]), rows([0.2], experiment="two")])
    assert value(comparison.mean_scores(table), "tissues", "intact", FIVE) == (0.5, 0.2, 0.8)


def test_only_lines_that_the_paper_and_we_share_are_kept(run_of):
    this_run = pd.concat([rows([0.5]), rows([0.9], model="random forest"), rows([0.9], task="tissues, rare")])
    reference = pd.concat([rows([0.7, 0.8]), rows([0.6], model=LINEAR)])
    table = comparison.beside_published(run_of(this_run, reference), "GTEx")
    lines = [tuple(line) for line in table[["source", "model", "value"]].to_numpy()]
    assert sorted(lines) == [
        ("published", FIVE, 0.8251), ("published", LINEAR, 0.8341),
        ("reference run", FIVE, 0.75), ("reference run", LINEAR, 0.6), ("this run", FIVE, 0.5),
    ]  # fmt: skip
    assert set(table["task"]) == {"tissues"}
    assert set(table["setting"]) == {"intact"}


def test_each_protocol_stands_beside_the_papers_line_it_answers(run_of):
    tuned = "corrected/five-layer"
    ours = pd.concat([rows([0.2]), rows([0.6], tuned), rows([0.9], "random forest")])
    protocols = {"the paper's": {FIVE: FIVE}, "ours": {tuned: FIVE}}
    run = run_of(ours, ours[:0])
    found = comparison.beside_protocols(run, protocols, "GTEx")
    assert set(found["model"]) == {FIVE}
    found = found.set_index(["protocol", "source"])["value"]
    assert found["the paper's", comparison.THIS_RUN] == 0.2
    assert found["ours", comparison.THIS_RUN] == 0.6
    assert found["the paper's", "published"] == found["ours", "published"] > 0.5
    assert len(found) == 4
    halved = comparison.beside_protocols(run, protocols, "GTEx", rows=lambda table: table.assign(value=0.1))
    assert set(halved.loc[halved["source"] == comparison.THIS_RUN, "value"]) == {0.1}


def test_side_by_side_is_one_line_per_model_and_one_column_per_source(run_of):
    reference = pd.concat([rows([0.7123, 0.8]), rows([0.6], model=LINEAR)])
    beside = comparison.beside_published(run_of(rows([0.5]), reference), "GTEx")
    wide = comparison.side_by_side(beside)
    assert list(wide.columns) == ["task", "setting", "model", "published", "reference run", "this run"]
    lines = wide.set_index("model")
    assert list(lines.loc[FIVE])[2:] == pytest.approx([0.8251, 0.75615, 0.5])
    assert list(lines.loc[LINEAR])[2:4] == [0.8341, 0.6]
    assert np.isnan(lines.loc[LINEAR, "this run"])


def test_a_grid_has_means_without_controls_in_the_order_of_the_table():
    own = [rows([0.6, 0.8], setting="removed"), rows([0.9]), rows([0.5], model=LINEAR)]
    grid = figures.score_grid(pd.concat([*own, rows([0.1], control="majority")]))
    assert list(grid.index) == [figures.model_label(name) for name in (FIVE, LINEAR)]
    assert list(grid.columns) == ["removed", "intact"]
    assert grid.iloc[0].tolist() == pytest.approx([0.7, 0.9])
    assert np.isnan(grid.iloc[1, 0])
    turned = figures.score_grid(pd.concat(own), rows="setting", columns="model")
    assert turned.equals(grid.T)


def test_data_sets_that_share_a_line_are_not_averaged(run_of):
    with pytest.raises(DataError, match=r"tissues, intact, heil2022/five-layer.*give `dataset`"):
        comparison.beside_published(run_of(rows([0.5]), rows([0.5])))


def test_starts_of_the_pretraining_curves_are_named_as_in_our_tables(run_of):
    """heil2022, Supp Fig 9: at 373 training samples, without a published spread."""
    starts = comparison.end_of_curves("heil2022", "Recount3", point=comparison.START)
    pretrained = starts[starts["item"] == "Supp Fig 9"]
    assert set(pretrained["setting"]) == {"pretrained", "not pretrained"}
    assert value(pretrained, "tissues", "pretrained", FIVE) == (0.3586, 0.3586, 0.3586)
    ours = pd.concat([rows([0.2], setting="pretrained"), rows([0.1], setting="not pretrained")])
    run = run_of(ours, rows([0.3], setting="pretrained"))
    beside = comparison.beside_published(run, "Recount3", point=comparison.START)
    (line,) = comparison.side_by_side(beside).query("setting == 'pretrained'").to_dict("records")
    assert (line["published"], line["reference run"], line["this run"]) == (0.3586, 0.3, 0.2)


D_GEX, OLS = "chen2016/d-gex-3", "chen2016/linear-regression"


def test_a_published_table_agrees_with_values_read_by_hand():
    table = comparison.published_table("chen2016", "Table 1")
    assert len(table) == 13
    assert value(table, "targets", "wide, dropout 10 %", D_GEX) == (0.3204, 0.2325, 0.4083)
    assert value(table, "targets", "narrow, dropout 10 %", "chen2016/d-gex-1") == (0.3421, 0.2563, 0.4279)
    assert value(table, "targets", "", OLS) == (0.3784, 0.2933, 0.4635)
    second = comparison.published_table("chen2016", "Table 2")
    assert value(second, "targets", "wide, dropout 25 %", "chen2016/d-gex-2") == (0.4393, 0.3154, 0.5632)
    assert not table.duplicated(["task", "setting", "model", "metric"]).any()


def test_percentages_become_shares_of_one():
    (share,) = comparison.published_table("chen2016", "sec 3.1 / Fig 3a").to_dict("records")
    assert (share["metric"], share["model"]) == ("share_of_genes", D_GEX)
    assert share["setting"] == "wide, dropout 10 %, against linear regression"
    assert share["value"] == pytest.approx(0.9997)


def test_one_metric_of_a_published_table_is_kept():
    """Table 1 of bhukya2021 prints an error and a training time for each of nine autoencoders."""
    assert len(comparison.published_table("bhukya2021", "Table 1")) == 18
    errors = comparison.published_table("bhukya2021", "Table 1", "mean_absolute_error")
    assert (len(errors), errors["value"].min()) == (9, 0.4478)
    with pytest.raises(UnknownNameError):
        comparison.published_table("bhukya2021", "Table 1", "balanced_accuracy")


def test_a_table_without_our_names_is_refused():
    with pytest.raises(UnknownNameError, match="named table of chen2016 'Methods"):
        comparison.published_table("chen2016", "Methods: training")


def test_a_table_stands_beside_runs_with_the_spread_over_genes(run_of):
    wide = {"setting": "wide, dropout 10 %", "task": "targets", "metric": "mean_absolute_error"}
    this_run = pd.concat([
        rows([0.5, 0.6], D_GEX, **wide), rows([0.1, 0.1], D_GEX, **(wide | {"metric": "sd_over_genes"})),
        rows([0.7], "corrected/ridge", **wide), rows([0.8], OLS, **(wide | {"setting": ""})),
    ])  # fmt: skip
    beside = comparison.beside_table(run_of(this_run, this_run[:0], "chen2016/02-x"), "Table 1")
    run = beside[beside["source"] == "this run"]
    assert value(run, "targets", "wide, dropout 10 %", D_GEX) == (0.55, 0.45, 0.65)
    assert value(run, "targets", "", OLS) == (0.8, 0.8, 0.8)  # no spread over genes: the range of its folds
    assert set(beside["model"]) == {D_GEX, OLS}
    assert comparison.side_by_side(beside)["published"].tolist() == [0.3204, 0.3784]


def test_numbers_of_any_kind_stand_beside_the_runs_line_by_line(run_of):
    def share(table):
        return table.groupby("task")["value"].mean()

    run = run_of(rows([0.2, 0.4], task="trained"), rows([0.5], task="held out"))
    printed = pd.Series({"trained": 0.9, "held out": np.nan, "never run": np.nan}).rename_axis("samples")
    wide = comparison.side_by_side(comparison.beside_numbers(run, printed, share))
    assert list(wide.columns) == ["samples", "published", "reference run", "this run"]
    lines = wide.set_index("samples")
    assert lines.loc["trained"].tolist()[::2] == [0.9, pytest.approx(0.3)]
    assert lines.loc["held out", "reference run"] == 0.5
    assert lines.isna().sum().sum() == 3


@pytest.fixture
def shown(monkeypatch):
    """Return a list that collects what a call displays, each output as its bundle and its metadata."""
    found = []

    def display(output, *, raw=False, metadata=None):
        found.append((output if raw else {"text/html": getattr(output, "data", "")}, metadata or {}))

    monkeypatch.setattr(comparison, "display", display)
    monkeypatch.setattr("exprml.book.figures.page.display", display)
    return found


def test_one_call_closes_a_chapter_with_figure_table_and_verdicts(run_of, shown):
    run = run_of(pd.concat([rows([0.5]), rows([0.8], model=LINEAR)]), rows([0.7]))
    beside = comparison.beside_published(run, "GTEx")
    comparison.close(run, beside, name="fig-x", caption="Both.", chance=0.1, role="stand-in")
    (picture, said), table, judged, _, findings = shown
    assert "image/svg+xml" in picture["text/html"]
    texts = said["exprml"]
    assert (texts["name"], texts["caption"], texts["role"]) == ("fig-x", "Both.", "stand-in")
    assert "farthest in intact, five-layer, tissues: 0.83 published, 0.50 here" in texts["alt"]
    assert "lies 0.18 from the paper on average" in texts["alt"]
    assert "<td>0.825</td>" in table[0]["text/html"]
    first, *_ = claims.ledger(run.notebook)
    assert first.id in judged[0]["text/html"]
    assert first.id in findings[0]["text/html"]
    heads = judged[0]["text/html"]
    assert heads.index("<th>reference run</th>") < heads.index("<th>this run</th>")  # has more repetitions


def test_a_chapter_without_published_numbers_closes_with_its_verdicts_alone(run_of, shown):
    comparison.close(run_of(rows([0.5]), rows([0.7])))
    assert len(shown) == 3
