"""What the search keeps: every trial, and of each preset the one that its rule names."""

import argparse

import numpy as np
import pandas as pd
import pytest
import yaml

from exprml.data import simulate
from exprml.models import presets
from exprml_press.cli import search


def trials(**columns) -> pd.DataFrame:
    empty = {name: np.nan for name in ("learning_rate", "weight_decay", "C")}
    return pd.DataFrame(empty | columns)


def test_of_penalties_nearly_as_good_the_strongest_is_kept():
    rows = trials(C=[1.0, 0.1, 0.01, 0.001], objective=[-0.951, -0.950, -0.947, -0.940])
    assert search.chosen(rows)["C"] == 0.01


def test_of_rates_the_best_trial_is_kept():
    rows = trials(learning_rate=[1e-3, 1e-4], weight_decay=[1e-6, 1e-5], objective=[0.30, 0.301])
    assert search.chosen(rows)["learning_rate"] == 1e-3


def test_best_values_are_written_with_their_source_and_others_stay(tmp_path, monkeypatch):
    path = tmp_path / "searched.yml"
    path.write_text("corrected/five-layer: {elsewhere: {learning_rate: 0.5}}\n")
    monkeypatch.setattr(presets, "SEARCHED", path)
    rows = trials(learning_rate=[2e-3], weight_decay=[1e-4], objective=[0.3]).assign(
        preset="corrected/five-layer"
    )
    search.keep_best(rows, argparse.Namespace(dataset="gtex-twin", trials=3, epochs=2))
    kept = yaml.safe_load(path.read_text())["corrected/five-layer"]
    assert kept["elsewhere"] == {"learning_rate": 0.5}
    assert kept["gtex-twin"] == {
        "learning_rate": 0.002,
        "weight_decay": 0.0001,
        "source": "exprml search gtex-twin: 3 trials, 2 epochs, intact training folds",
    }


def test_search_sees_whole_donors_of_the_training_part_only(monkeypatch):
    twin = simulate.gtex_twin(tissues=simulate.TISSUES[:3], n_donors=90, n_genes=20)
    monkeypatch.setattr("exprml.data.catalogue.load", lambda name: twin)
    values, tissue, donor = search.training_part("gtex-twin")
    assert len(values) == len(tissue) == len(donor)
    assert len(set(donor)) == pytest.approx(twin.obs["donor"].nunique() * 2 / 3, abs=1)
    assert len(donor) == twin.obs["donor"].isin(set(donor)).sum()
