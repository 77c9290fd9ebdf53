"""mcdermott2020: six classifiers with the settings found for each task of its two views; FF-ANN done right.

Settings lie beside this module, as the authors' notebook of search results has them (deleted from their
repository later). What it does not say are scikit-learn's defaults, but for the number of epochs of a linear
model, which was 5 in scikit-learn 0.19 (1,000 today).
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from sklearn import ensemble, linear_model, neighbors, neural_network, tree

from exprml.models import graph, neighbours, networks
from exprml.models.presets import heil2022
from exprml.models.presets.preset import Preset, read

SETTINGS = Path(__file__).with_suffix(".csv")
KINDS = {  # model of the settings -> start of a preset's name, class, what it is
    "GCNN": ("gcnn", graph.GraphClassifier, "graph convolution network; give it the graph as `edges`"),
    "FF-ANN": ("ff-ann", neural_network.MLPClassifier, "network of one wide layer, no dropout"),
    "KNN": ("knn", neighbours.CanberraNeighbours, "nearest samples by Canberra distance"),
    "Linear": ("linear", linear_model.SGDClassifier, "linear model by stochastic gradient descent"),
    "Random forest": ("forest", ensemble.RandomForestClassifier, "random forest"),
    "Decision tree": ("tree", tree.DecisionTreeClassifier, "decision tree"),
}
WORDS = {  # the graph network's words -> ours
    "regularization": "weight_decay", "decay_rate": "schedule_factor", "decay_steps": "schedule_steps",
    "num_epochs": "epochs", **{name: name for name in ("learning_rate", "momentum", "batch_size")},
}  # fmt: skip
PAPER = "mcdermott2020, the authors' notebook of search results"


def settings_of(model: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return settings as the class of `model` takes them; the graph network's dropout is a share *kept*."""
    if model == "GCNN":
        settings = {ours: found[theirs] for theirs, ours in WORDS.items()}
        settings |= {"n_filters": found["Fs"][0][0], "order": found["Ks"][0][0], "random_state": 0}
        settings |= {"hidden": tuple(found["M"][:-1]), "dropout": 1 - found["dropout"]}
        return settings | {"pooling": {"a": "mean", "m": "max"}[found["pool"][0]]}
    if model == "KNN":
        return {name: found[name] for name in ("n_neighbors", "weights")}
    if model == "Linear":
        found = {"max_iter": 5, "tol": None} | found | {"loss": found["loss"].replace("log", "log_loss")}
    return {name: value for name, value in found.items() if name != "n_jobs"} | {"random_state": 0}


def published() -> dict[str, Preset]:
    """Return a preset for every model and task of the full view, and for the one of the prostate view."""
    rows = csv.DictReader(SETTINGS.read_text(encoding="utf-8").splitlines())
    found, ends = {}, {"primary site": "site", "subtype": "subtype", "MOA": "moa"}
    for row in rows:
        if row["source"].startswith("search-results"):
            start, kind, summary = KINDS[row["model"]]
            settings = settings_of(row["model"], json.loads(row["params_json"]))
            prostate = row["dataset"] == "LINCS prostate"
            name = f"mcdermott2020/{start}-{'prostate' if prostate else ends[row['task']]}"
            task = "prostate MOA" if prostate else row["task"]
            found[name] = Preset(kind, settings, f"{summary} ({task})", PAPER)
    return found


PRESETS = published() | read(__file__, graph, neighbors, neighbours, networks, beside=heil2022.PRESETS)
