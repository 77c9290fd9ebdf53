"""``exprml search DATASET``: rates and penalties for the corrected presets, found once and kept.

Writes every trial to ``data/reference/heil2022/search-<data set>.csv`` and the best of each preset to
``exprml/models/searched.yml``. The search sees the training part of the first outer fold only and scores
inner folds of whole donors inside it; data after removal are never looked at.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from exprml.base.files import atomic_path, data_folder, from_yaml, write_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def add_parser(subparsers: Any) -> None:
    """Add the command that searches."""
    asked = subparsers.add_parser("search", help="search rates on a data set, keep them for the presets")
    asked.add_argument("dataset", help="name as in `exprml data list`, with tissues and donors")
    asked.add_argument("--trials", type=int, default=12, help="trials for each network (12)")
    asked.add_argument("--epochs", type=int, default=30, help="at most this many passes over the data (30)")
    asked.set_defaults(run=run)


SPACE = {"learning_rate": ("log", 3e-5, 3e-2), "weight_decay": ("log", 1e-6, 1e-2)}
NETS = ("three-layer", "three-layer-batchnorm", "five-layer-no-batchnorm", "five-layer")


def training_part(dataset: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values, tissues and donors of the first outer training fold (three folds, seed 0)."""
    import numpy as np

    from exprml.data import catalogue
    from exprml.data.preprocess import keep_classes
    from exprml.evaluation.splits import GroupFolds

    data, _ = keep_classes(catalogue.load(dataset), "tissue", "donor", 25)
    tissue, donor = (np.asarray(data.obs[name]).astype(str) for name in ("tissue", "donor"))
    train, _ = next(iter(GroupFolds(3, 0).split(data.X, tissue, donor)))
    return np.asarray(data.X)[train], tissue[train], donor[train]


def search(model: Any, X: Any, y: Any, groups: Any = None, *, folds: int = 4, seed: int = 0, **options: Any):
    """Search by cross-validation inside training data; see `exprml.evaluation.search.search_parts`.

    Parameters
    ----------
    model : estimator
        Cloned for each fit; its parameters are set by the names in ``space``.
    X, y, groups
        The training part of an outer fold, as in `cross_validate`.
    folds : int
        Inner folds of whole groups; the paper leaves out one of four in turn.
    seed : int
        Of sampler and folds.
    **options
        ``space``, ``n_trials``, ``sampler``.
    """
    from exprml.evaluation.parts import Protocol, samples_of
    from exprml.evaluation.search import inner_parts, search_parts, with_every_class

    samples = samples_of(X, y, groups)
    pairs = with_every_class(Protocol(folds).pairs(seed, samples.y, samples.groups), samples.y)
    return search_parts(model, lambda: inner_parts(samples, pairs), seed=seed, **options)


def search_net(net: str, data: tuple, n_trials: int, epochs: int) -> pd.DataFrame:
    """Return the trials of one network, best first."""
    from exprml.models import presets

    model = presets.make(f"corrected/{net}", epochs=epochs)
    found = search(model, *data, space=SPACE, n_trials=n_trials, folds=2, seed=0)
    return found.trials.assign(preset=f"corrected/{net}")


def penalty(data: tuple) -> pd.DataFrame:
    """Return the inner scores of each penalty of the converged logistic regression, best first."""
    import pandas as pd

    from exprml.models import presets

    values, tissue, donor = data
    model = presets.make("corrected/logistic-regression").fit(values, tissue, groups=donor)
    trials = pd.DataFrame({"C": list(model.scores_), "objective": [-one for one in model.scores_.values()]})
    return trials.sort_values("objective").assign(preset="corrected/logistic-regression")


def run(given: argparse.Namespace) -> None:
    """Search, write the trials and the best of each preset."""
    import pandas as pd

    data = training_part(given.dataset)
    parts = [penalty(data), *(search_net(net, data, given.trials, given.epochs) for net in NETS)]
    trials = pd.concat(parts, ignore_index=True).drop(columns="seconds", errors="ignore")
    with atomic_path(data_folder("reference", "heil2022", f"search-{given.dataset}.csv")) as part:
        trials.to_csv(part, index=False, float_format="%.6g")
    keep_best(trials, given)


def chosen(rows: pd.DataFrame) -> pd.Series:
    """Return the best trial; of penalties nearly as good, the strongest (it converges soonest)."""
    near = rows[rows["objective"] <= rows["objective"].min() + 0.005]
    return near.sort_values("C").iloc[0] if near["C"].notna().all() else rows.iloc[0]


def keep_best(trials: pd.DataFrame, given: argparse.Namespace) -> None:
    """Write the best trial of every preset to searched.yml, with its source."""
    import yaml

    from exprml.models import presets

    kept = from_yaml(presets.SEARCHED.read_text(encoding="utf-8")) or {}
    source = (
        f"exprml search {given.dataset}: {given.trials} trials, {given.epochs} epochs, intact training folds"
    )
    for preset, rows in trials.groupby("preset", sort=False):
        best = chosen(rows)[["learning_rate", "weight_decay", "C"]].dropna()
        values = {name: float(f"{value:.3g}") for name, value in best.items()}
        kept.setdefault(preset, {})[given.dataset] = values | {"source": source}
    head = "# Found by search on intact folds: preset -> data set -> parameters, source.\n"
    write_text(presets.SEARCHED, head + yaml.safe_dump(kept, sort_keys=True))
