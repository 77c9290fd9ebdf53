"""The results table: schema, order, bytes, and who may read it."""

import numpy as np
import pandas as pd
import pytest

from exprml.base.errors import DataError, NotAvailableError, ParameterError, UnknownNameError
from exprml.book import results
from exprml.book.context import Context
from exprml.book.report import Run

PLAN = {"tissues": {"dataset": "gtex-twin", "role": "twin", "hash": "h", "why": ""}}
ROWS = pd.DataFrame({
    "model": ["net", "lr", "net"], "fold": [1, 0, 0], "metric": "accuracy", "value": [2 / 3, 0.5, 1e-9],
    "seconds": [0.1, 0.2, 0.3],
})  # fmt: skip


@pytest.fixture
def run(project):
    project.add("heil2022/a")
    return Run(Context("heil2022/a", "smoke", key="k1", plan=PLAN, threads=2), seed=3)


def table_of(run) -> str:
    return run.results_path.read_text()


def test_rows_are_filled_sorted_and_written_in_fixed_format(run, project):
    results.write(ROWS, run, "one")
    assert run.results_path == project.root / "data/results/smoke/heil2022/a.csv"
    lines = table_of(run).splitlines()
    assert lines[0] == ",".join(results.COLUMNS)
    assert lines[1] == "one,gtex-twin,twin,,lr,,,,0,,,accuracy,0.5,cpu,2,smoke,k1"
    assert lines[2].split(",")[12] == "1e-09"
    assert lines[3] == "one,gtex-twin,twin,,net,,,,1,,,accuracy,0.666667,cpu,2,smoke,k1"


def test_same_rows_in_any_order_give_the_same_bytes_and_seconds_lie_apart(run):
    results.write(ROWS, run, "one")
    before = table_of(run)
    results.write(ROWS.sample(frac=1, random_state=1).assign(seconds=9.0), run, "one")
    assert table_of(run) == before
    assert "seconds" not in before
    seconds = pd.read_csv(run.results_path.with_suffix(".seconds.csv"))
    assert list(seconds["seconds"]) == [9.0] * 3


def test_a_network_that_was_still_improving_has_a_row_for_each_fit(run):
    both = pd.concat([ROWS, ROWS.assign(metric="recall:a")]).assign(still_improving=[1.0, np.nan, 0.0] * 2)
    results.write(both, run, "one")
    found = run.table().query("metric == 'still_improving'")
    assert found[["model", "fold", "value"]].to_numpy().tolist() == [["net", 0, 0.0], ["net", 1, 1.0]]
    assert len(run.table()) == 2 * len(ROWS) + 2


def test_a_second_experiment_is_added_and_an_older_run_is_dropped(run):
    results.write(ROWS, run, "one")
    results.write(ROWS, run, "two")
    assert len(results.read("heil2022/a", "smoke")) == 6
    newer = Run(Context("heil2022/a", "smoke", key="k2", plan=PLAN))
    results.write(ROWS, newer, "two")
    assert set(results.read("heil2022/a", "smoke")["run"]) == {"k2"}


def test_table_read_back_has_the_types_it_was_written_with(run):
    results.write(ROWS, run, "one")
    written = run.table()
    read = results.read("heil2022/a", "smoke")
    assert (read.dtypes == written.dtypes).all()
    assert read["n_train"].isna().all()
    assert (read["task"] == "").all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"modell": "x"}, "no column 'modell'"),
        ({"value": np.inf}, "infinite 'accuracy'"),
        ({"value": "high"}, "'value' of a results table holds numbers"),
        ({"fold": 0.5}, "'fold' of a results table holds whole numbers"),
        ({"model": "net", "fold": 0}, "cannot be told apart"),
    ],
)
def test_a_table_that_breaks_the_schema_is_refused_and_nothing_written(run, change, words):
    with pytest.raises(DataError, match=words):
        results.write(ROWS.assign(**change), run, "one")
    assert not run.results_path.exists()


def test_rows_must_say_their_experiment_metric_and_data(run):
    with pytest.raises(DataError, match="'experiment'"):
        results.write(ROWS, run)
    with pytest.raises(DataError, match="'metric'"):
        results.write(ROWS.drop(columns="metric"), run, "one")
    without_data = Run(Context("heil2022/a", "smoke", key="k"))
    with pytest.raises(DataError, match="say which data"):
        results.write(ROWS, without_data, "one")
    with pytest.raises(DataError, match="say which data"):  # a data set without its role is not enough
        results.write(ROWS.assign(dataset="heil-simulation"), without_data, "one")
    results.write(ROWS, without_data, "one", dataset="heil-simulation")
    written = without_data.table()
    assert set(written["dataset"]) == {"heil-simulation"}


def test_experiment_ids_are_checked_and_may_lack_the_papers_prefix(run, project):
    (project.root / "data/experiments.csv").write_text("id,paper\nheil2022-fig3-sim,heil2022\n")
    results.write(ROWS, run, "fig3-sim")
    assert set(run.table()["experiment"]) == {"heil2022-fig3-sim"}
    with pytest.raises(UnknownNameError, match="did you mean 'heil2022-fig3-sim'"):
        results.write(ROWS, run, "heil2022-fig3-sin")


def test_a_changed_run_and_a_live_kernel_never_write_the_books_own_table(project):
    project.add("heil2022/a")
    changed = Run(Context("heil2022/a", "default", key="k", plan=PLAN, changed={"n": 1}))
    live = Run(Context("heil2022/a", plan=PLAN))
    for run, folder in ((changed, "custom"), (live, "live")):
        results.write(ROWS, run, "one")
        assert run.results_path == project.root / f"data/results/{folder}/heil2022/a.csv"
        assert set(results.read("heil2022/a", folder)["profile"]) == {folder}


def test_a_table_that_is_not_there_names_the_command(project):
    with pytest.raises(NotAvailableError, match="exprml run heil2022/a --profile paper"):
        results.read("heil2022/a", "paper")


def test_a_notebook_reads_only_what_it_says_it_needs(run, project, monkeypatch):
    results.write(ROWS, run, "one")
    told = Context("index", "smoke", key="k", needs=("heil2022/a",))
    told.save(project.root / "run.json")
    monkeypatch.setenv("EXPRML_RUN", str(project.root / "run.json"))
    assert len(results.read("heil2022/a")) == 3
    with pytest.raises(ParameterError, match="add it under `needs:`"):
        results.read("heil2022/b")


def test_published_numbers_keep_every_row_and_their_source(monkeypatch):
    monkeypatch.delenv("EXPRML_ROOT", raising=False)
    table = results.published("heil2022")
    assert len(table) == 877
    assert list(table.columns[:17]) == list(results.COLUMNS)
    end = table.query("model == 'five-layer net' and setting.str.contains('^full.*train_samples=14073')")
    assert end["value"].tolist() == [0.8251]
    assert (table["source"] != "").all()
    with pytest.raises(UnknownNameError, match="did you mean 'heil2022'"):
        results.published("heil2021")


def test_settings_of_one_table_go_to_the_experiments_they_answer(run, project):
    both = pd.concat([ROWS.assign(setting=words) for words in ("intact", "removed")])
    results.write(both, run, {"intact": "one", "removed": "two", "removed jointly": "three"})
    by_setting = run.table().groupby("setting")["experiment"].unique()
    assert by_setting.map(list).to_dict() == {"intact": ["one"], "removed": ["two"]}
    with pytest.raises(UnknownNameError, match="setting 'removed'"):
        results.write(both, run, {"intact": "one"})


def test_reference_runs_are_read_where_they_are_kept(run, project):
    with pytest.raises(NotAvailableError, match="no reference run"):
        results.read_reference("heil2022/a")
    results.write(ROWS, run, "one")
    kept = project.root / "data/reference/heil2022/a.csv"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(run.results_path.read_bytes())
    assert len(results.read_reference("heil2022/a")) == 3


def test_a_notebook_without_a_reference_run_reads_an_empty_one_of_its_own_alone(project, monkeypatch):
    project.add("heil2022/a")
    Context("heil2022/a", "smoke", key="k").save(project.root / "run.json")
    monkeypatch.setenv("EXPRML_RUN", str(project.root / "run.json"))
    table = results.read_reference("heil2022/a")
    assert table.empty
    assert list(table.columns) == list(results.COLUMNS)
    with pytest.raises(NotAvailableError, match="no reference run of 'heil2022/b'"):
        results.read_reference("heil2022/b")


def test_later_rows_of_an_experiment_join_those_of_the_same_session(run):
    table = pd.DataFrame({"model": ["a"], "metric": "balanced_accuracy", "value": [0.5]})
    results.write(table, run, "one")
    results.write(table.assign(model="b"), run, "one")
    results.write(table.assign(value=0.75), run, "one")
    assert dict(run.table().set_index("model")["value"]) == {"a": 0.75, "b": 0.5}


def test_an_experiment_begun_anew_forgets_the_rows_of_an_earlier_session(run):
    results.write(ROWS, run, "one")
    again = Run(run.context)
    results.write(ROWS.iloc[:1], again, "one")
    assert len(again.table()) == 1
