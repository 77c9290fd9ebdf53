"""Parts in which the samples themselves are to come back: what an autoencoder is scored on (okeke2023)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import check_known
from exprml.evaluation.experiment import Part
from exprml.evaluation.landmark_parts import three_parts
from exprml.evaluation.parts import samples_of

VALIDATION = ("other groups", "cut from the training rows")
TEST, CHOOSING, TRAINING = "reconstruction", "validation", "training"


def reconstruction(
    values: Any,
    groups: Any,
    *,
    n_folds: int = 5,
    folds_run: int = 1,
    seeds: Sequence[int] = (0,),
    validation: str = VALIDATION[0],
    centre: bool = True,
    setting: str = "",
) -> Iterator[Part]:
    """Yield three parts a fold with the same training samples: scored on others, on the validation, on these.

    The column ``task`` tells them apart: "reconstruction", "validation", "training". Every gene is divided by
    its standard deviation among the training samples.

    Parameters
    ----------
    values : array or AnnData, (samples, genes)
    groups : array, (samples,), or the name of an obs column
        The study of each contrast: none stands on two sides.
    n_folds, folds_run, seeds
        As in `three_parts`: one fold tests, the next one validates, the others train.
    validation : {"other groups", "cut from the training rows"}
        "cut from the training rows" is the report's slip: what is called validation are the first rows of the
        training set, as many as the true validation part has; models choose nothing by it.
    centre : bool
        Take each gene's mean among the training samples away first, as the report does; then predicting zero
        is predicting this mean. Without, zero is "no change".
    setting : str
        Copied into the table.
    """
    check_known("validation", [validation], VALIDATION)
    whole = samples_of(values, None, groups)
    whole = whole._replace(X=np.asarray(whole.X, dtype=np.float32))
    for seed, fold in product(seeds, range(folds_run)):
        rows = three_parts(whole.groups, n_folds=n_folds, fold=fold, seed=seed)
        scaler = StandardScaler(with_mean=centre).fit(whole.X[rows.train])
        train, held, test = (one._replace(X=scaler.transform(one.X)) for one in map(whole.take, rows))
        leaks = validation == VALIDATION[1]
        chooses = train.take(np.arange(min(len(held.X), len(train.X)))) if leaks else held
        words = {"setting": setting, "split": "group", "fold": fold, "seed": seed, "n_train": len(train.X)}
        for task, scored in ((TEST, test), (CHOOSING, chooses), (TRAINING, train)):
            yield Part({"task": task, **words}, train, scored, None if leaks else held)


def matched_pieces(values: Any, groups: Any, **cut: Any) -> Iterator[Part]:
    """Yield the report's "4-fold cross-validation": four models, each with a quarter of the training rows.

    Training rows and the rows called validation, which are the first of them, are shuffled and cut in pieces.
    A model trains on one piece of the former and is scored on the piece of the latter that has its number;
    here, on all samples of other groups too. Genes stay scaled by all training rows. The column ``setting``
    numbers the pieces: "fold 1".

    Parameters
    ----------
    values, groups, **cut
        As in `reconstruction`, which makes the rows; none of them chooses an epoch.
    """
    parts = reconstruction(values, groups, validation=VALIDATION[1], **cut)
    for test, called, whole in zip(parts, parts, parts, strict=True):
        draw = np.random.default_rng(called.words["seed"])
        sides = [np.array_split(draw.permutation(len(one.test.X)), 4) for one in (whole, called)]
        for number, (fitted, scored) in enumerate(zip(*sides, strict=True), 1):
            train, words = whole.test.take(fitted), {"setting": f"fold {number}", "n_train": len(fitted)}
            yield Part({**called.words, **words}, train, called.test.take(scored))
            yield Part({**test.words, **words}, train, test.test)
