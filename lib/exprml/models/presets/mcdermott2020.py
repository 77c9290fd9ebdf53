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

from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from exprml.models.graph import GraphClassifier
from exprml.models.neighbours import CanberraNeighbours, CorrelationAsDistance
from exprml.models.networks import NetworkClassifier
from exprml.models.presets.heil2022 import CORRECTED
from exprml.models.presets.preset import Preset

SETTINGS = Path(__file__).with_suffix(".csv")
KINDS = {  # model of the settings -> start of a preset's name, class, what it is
    "GCNN": ("gcnn", GraphClassifier, "graph convolution network; give it the graph as `edges`"),
    "FF-ANN": ("ff-ann", MLPClassifier, "network of one wide layer, no dropout"),
    "KNN": ("knn", CanberraNeighbours, "nearest samples by Canberra distance"),
    "Linear": ("linear", SGDClassifier, "linear model by stochastic gradient descent"),
    "Random forest": ("forest", RandomForestClassifier, "random forest"),
    "Decision tree": ("tree", DecisionTreeClassifier, "decision tree"),
}
WORDS = {  # the graph network's words -> ours
    "regularization": "weight_decay", "decay_rate": "schedule_factor", "decay_steps": "schedule_steps",
    "num_epochs": "epochs", **{name: name for name in ("learning_rate", "momentum", "batch_size")},
}  # fmt: skip
PAPER = "mcdermott2020, the authors' notebook of search results"
OURS = "this book: size as published, otherwise as its other corrected networks"


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


POWERS = ("manhattan", "euclidean", "minkowski-3")  # exponents 1, 2, 3
METRICS: dict[str, tuple] = {  # of nearest neighbours, as the paper searches them
    **{name: (KNeighborsClassifier, {"metric": "minkowski", "p": p}) for p, name in enumerate(POWERS, 1)},
    "chebyshev": (KNeighborsClassifier, {"metric": "chebyshev"}),
    "canberra": (CanberraNeighbours, {}),
    "correlation-as-distance": (CorrelationAsDistance, {}),
}
BY_METRIC = {
    f"mcdermott2020/knn-{name}": Preset(*found, f"nearest neighbours, metric {name}", PAPER)
    for name, found in METRICS.items()
}
DENSE = CORRECTED | {"hidden": (997,), "dropout": 0.5, "input_dropout": 0.2, "class_weight": None}
SELF = {"hidden": ("1/4",) * 4, "activation": "selu", "initialisation": "lecun-normal", "dropout": 0.05}
SELF = DENSE | {"input_dropout": 0.0} | SELF  # layers and dropout after Klambauer et al. 2017
GRAPH = CORRECTED | {"standardise": False, "class_weight": None, "hidden": (64,), "dropout": 0.3}
GRAPH |= {"optimizer": "adam", "learning_rate": 3e-3, "schedule": "none", "decayed": "all", "patience": 10}
RIGHT: dict[str, Preset] = {
    "corrected/gcnn": Preset(GraphClassifier, GRAPH, "GCNN trained as this book's other networks are", OURS),
    "corrected/self-normalising-network": Preset(NetworkClassifier, SELF, "four layers of SELU", OURS),
    "corrected/ff-ann": Preset(NetworkClassifier, DENSE, "FF-ANN with dropout and early stopping", OURS),
    "corrected/knn-correlation": Preset(
        KNeighborsClassifier, {"metric": "correlation"}, "neighbours by 1 - r", "this book"
    ),
}
PRESETS = published() | BY_METRIC | RIGHT
