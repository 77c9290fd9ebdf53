"""Sentences on a reader's own data follow the table: each case of the verdict from scores made for it."""

import numpy as np
import pandas as pd
import pytest
from anndata import AnnData

from exprml.book import context, report, results
from exprml.book.user_page import above_chance, verdict
from exprml.evaluation.scoring import MAJORITY

SPREAD = np.array([-0.02, -0.01, 0.0, 0.01, 0.02])


def table(**scores) -> pd.DataFrame:
    """Five folds around each mean score; keywords: setting_model."""
    rows = []
    for name, score in scores.items():
        setting, model = name.split("_")
        setting = setting.replace("shuffled", "shuffled labels")
        for fold, one in enumerate(score + SPREAD):
            rows.append({"setting": setting, "model": model, "fold": fold, "value": one})
            rows.append(
                {"setting": setting, "model": MAJORITY, "fold": fold, "value": 0.5, "control": "majority"}
            )
    fixed = {"metric": "balanced_accuracy", "task": "t", "split": "group", "seed": 0, "n_train": 40}
    return (
        pd.DataFrame(rows)
        .drop_duplicates(["setting", "model", "fold"])
        .assign(**fixed)
        .fillna({"control": ""})
    )


def said(better=(-0.01, -0.03, 0.01), **scores) -> str:
    differences = pd.DataFrame([dict(zip(("mean", "low", "high"), better, strict=True))]).assign(
        comparison="net - linear"
    )
    return "\n".join(verdict(above_chance(table(**scores)), "linear", differences))


def test_distance_from_the_majority_class_by_hand():
    found = above_chance(table(intact_linear=0.9, intact_net=0.5)).set_index("model")
    assert found.loc["linear", "above"] == pytest.approx(0.4)
    # t(0.975, 4) = 2.776; corrected error: s * sqrt(1/5 + 1/4), s of the five differences
    half = 2.7764451 * SPREAD.std(ddof=1) * np.sqrt(0.45)
    assert found.loc["linear", "low"] == pytest.approx(0.4 - half)
    assert list(found["found"]) == ["above", "at"]
    assert above_chance(table(intact_linear=0.3))["found"].item() == "below"
    assert above_chance(table(intact_linear=0.51))["found"].item() == "at"  # less than one error away


def test_only_the_full_training_size_counts():
    small = table(intact_linear=0.1).assign(n_train=10)
    found = above_chance(pd.concat([small, table(intact_linear=0.9)]))
    assert found["score"].item() == pytest.approx(0.9)


def test_a_find_after_removal_is_said_to_be_nonlinear_only_if_the_linear_model_guesses():
    text = said(intact_linear=0.9, intact_net=0.9, removed_linear=0.5, removed_net=0.8)
    assert "guesses, as it must" in text
    assert "Above chance: net 0.80. Something is left that no linear model can use" in text
    text = said(intact_linear=0.9, intact_net=0.9, removed_linear=0.7, removed_net=0.8)
    assert "still above chance" in text
    assert "no linear model can use" not in text
    assert "known artefact" in said(intact_linear=0.9, removed_linear=0.2, intact_net=0.9, removed_net=0.5)


def test_nothing_found_names_what_would_have_been_missed():
    text = said(intact_linear=0.5, intact_net=0.5, removed_linear=0.5, removed_net=0.5)
    assert "No model is clearly above chance" in text
    half = 2.7764451 * SPREAD.std(ddof=1) * np.sqrt(0.45)
    assert f"an effect of up to {half:+.2f}" in text


@pytest.mark.parametrize(
    ("better", "words"),
    [
        ((0.1, 0.05, 0.15), "Yes, against the linear model: net - linear +0.10 (+0.05 to +0.15)"),
        (
            (0.0, -0.04, 0.04),
            "No other model is clearly better than the linear one (the largest gain inside an",
        ),
        ((-0.1, -0.15, -0.05), "clearly worse: net - linear -0.10"),
    ],
)
def test_gain_over_the_linear_model(better, words):
    assert words in said(better, intact_linear=0.9, intact_net=0.9, removed_linear=0.5, removed_net=0.5)


@pytest.mark.parametrize(("p", "clear"), [(0.01, True), (0.2, False)])
def test_a_gain_must_stay_clear_when_p_is_adjusted(p, clear):
    found = above_chance(table(intact_linear=0.8, intact_net=0.9, removed_linear=0.5, removed_net=0.5))
    better = pd.DataFrame({"comparison": ["n"], "mean": [0.1], "low": [0.01], "high": [0.19], "p": [p]})
    assert ("Yes, against the linear model" in "\n".join(verdict(found, "linear", better))) == clear


def test_a_leak_in_the_control_outweighs_everything():
    scores = {"intact_linear": 0.9, "intact_net": 0.9, "removed_linear": 0.5, "removed_net": 0.5}
    assert "None was run on shuffled labels" in said(**scores)
    assert "no sign of a leak" in said(**scores, shuffled_linear=0.5)
    assert "(linear 0.70): *trust nothing here*" in said(**scores, shuffled_linear=0.7)
    for harmless in (0.3, 0.515):  # below a guess, or clearly but hardly above it: no leak
        tight = table(**scores, shuffled_linear=harmless)
        shuffled = (tight["setting"] == "shuffled labels") & (tight["model"] == "linear")
        tight.loc[shuffled, "value"] = harmless + SPREAD[: shuffled.sum()] / 100
        found = above_chance(tight)
        assert found.loc[found["setting"] == "shuffled labels", "found"].item() != "at"
        better = pd.DataFrame({"comparison": ["n"], "mean": [0.0], "low": [-0.1], "high": [0.1]})
        assert "no sign of a leak" in verdict(found, "linear", better)[0]


def test_own_results_lie_beside_the_notebook_under_names_of_their_own(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("EXPRML_RUN", raising=False)
    monkeypatch.chdir(tmp_path)
    data = AnnData(X=np.eye(3, dtype=np.float32))
    data.uns["user_files"] = {
        "source": {"dataset": "my.gct", "role": "reader's own", "hash": "0" * 64, "why": ""}
    }
    run = report.start_own("first", data, {"epochs": 3}, seed=4)
    results.write(pd.DataFrame({"metric": ["n"], "value": [1.0]}), run, "anything")
    written = results.parse_table(tmp_path / "first-results.csv")
    assert written[["experiment", "dataset", "role", "profile"]].to_numpy().tolist() == [
        ["anything", "my.gct", "reader's own", context.LIVE]
    ]
    assert "your own data" in run.banner.data
    assert "my.gct: 3 samples" in run.banner.data
    assert "<td>3</td>" in report.run_report(run, 1.0)
