"""Divide samples so that groups (donors, patients, studies) never stand on both sides.

The paper's folds (heil2022) are `GroupFolds(5, seed)`; the other functions are its variants.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator, StratifiedGroupKFold
from sklearn.utils.multiclass import type_of_target

from exprml.base.errors import DataError, ParameterError
from exprml.base.hashing import text_hash


class GroupFolds(BaseCrossValidator):
    """Folds of whole groups: shuffled, then cut into `n_splits` lists of equal group count.

    Parameters
    ----------
    n_splits : int
        Number of folds.
    seed : int
        Orders the groups.
    stratify : bool
        False: the paper's folds, which ignore the labels. True: scikit-learn's StratifiedGroupKFold, which
        also balances the classes over the folds (what the paper's text says, but its code does not do).

    Notes
    -----
    The folds depend on the set of groups, not on the order of the samples (stratify=False).
    """

    def __init__(self, n_splits: int = 5, seed: int = 0, stratify: bool = False) -> None:
        self.n_splits = n_splits
        self.seed = seed
        self.stratify = stratify

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield training and validation indices of each fold.

        Parameters
        ----------
        X : array or None
            Only its length is looked at.
        y : array, shape (samples,), optional
            Class labels: checked against the number of groups, and balanced with ``stratify=True``.
        groups : array, shape (samples,)
            The group of each sample.

        Raises
        ------
        DataError
            If there are fewer groups than folds, a class has fewer groups than folds, or only one class.
        """
        groups = check_groups(groups, y, self.n_splits, n_samples=None if X is None else np.shape(X)[0])
        if self.stratify:
            if y is None:
                raise ParameterError("stratify=True balances classes: give y")
            folds = StratifiedGroupKFold(self.n_splits, shuffle=True, random_state=self.seed)
            yield from folds.split(np.zeros(len(groups)), y, groups)
            return
        fold = fold_numbers(groups, self.n_splits, self.seed)
        for i in range(self.n_splits):
            yield np.flatnonzero(fold != i), np.flatnonzero(fold == i)


class PretrainingSplit(NamedTuple):
    """Indices of one pretraining fold: 40 % pretrain, 40 % train, 20 % validate (by groups)."""

    pretrain: np.ndarray
    train: np.ndarray
    validation: np.ndarray


def pretraining_split(
    groups: Sequence, y: Any = None, *, n_splits: int = 5, seed: int = 0
) -> Iterator[PretrainingSplit]:
    """Yield 40/40/20 splits of whole groups: fold i validates, i+1 and i+2 pretrain, the rest train.

    Parameters
    ----------
    groups : array, shape (samples,)
        The group of each sample.
    y : array, shape (samples,), optional
        Class labels, checked as in `GroupFolds`.
    n_splits, seed : int
        Folds and shuffling as in `GroupFolds`; heil2022 (public code, Supp Fig 9) has five folds.
    """
    groups = check_groups(groups, y, n_splits)
    fold = fold_numbers(groups, n_splits, seed)
    n_pretrain = (n_splits - 1) // 2
    for i in range(n_splits):
        turn = (fold - i) % n_splits
        pretrain = (turn > 0) & (turn <= n_pretrain)
        yield PretrainingSplit(*map(np.flatnonzero, (pretrain, turn > n_pretrain, turn == 0)))


def fold_numbers(groups: np.ndarray, n_splits: int, seed: int) -> np.ndarray:
    """Return each sample's fold: groups shuffled by `seed`, cut into lists that differ by one at most."""
    names, code = np.unique(groups, return_inverse=True)
    lists = np.array_split(np.random.default_rng(seed).permutation(len(names)), n_splits)
    fold_of_group = np.empty(len(names), dtype=int)
    for i, members in enumerate(lists):
        fold_of_group[members] = i
    return fold_of_group[code]


def hashed_folds(names: Sequence[str], n_splits: int = 10) -> np.ndarray:
    """Return each sample's fold by a hash of its name: the same for everybody, whatever else is in the data.

    Of k folds, mcdermott2020 tests on one, chooses settings on the one before and trains on the others.
    """
    return np.array([int(text_hash(str(name))[:12], 16) % n_splits for name in names])


def learning_curve_subsets(n: int, fractions: Sequence[float], seed: int = 0) -> dict[float, np.ndarray]:
    """Return a random subset of ``range(n)`` for each fraction, sorted; 1.0 is everything.

    Each is drawn apart from the others (heil2022): small ones do not lie inside larger ones.

    Parameters
    ----------
    n : int
        Number of training samples.
    fractions : sequence of float
        Shares in (0, 1]; a subset has ``round(fraction * n)`` samples, at least one.
    seed : int
        Draws the subsets.

    Raises
    ------
    ParameterError
        If a fraction is outside (0, 1].
    """
    wrong = [fraction for fraction in fractions if not 0 < fraction <= 1]
    if wrong:
        raise ParameterError(f"fraction {wrong[0]} is outside (0, 1]")
    subsets = {}
    for fraction in fractions:
        order = np.random.default_rng([seed, round(fraction * 1_000_000)]).permutation(n)
        subsets[float(fraction)] = np.sort(order[: max(1, round(fraction * n))])
    return subsets


class CappedParts(NamedTuple):
    """Rows to train on, to validate on and to test on, each ascending; the cluster of every sample."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    cluster: np.ndarray


def cluster_capped_parts(
    X: Any, *, n_clusters: int = 20, training_cap: int = 4500, validation_cap: int = 700, seed: int = 0
) -> CappedParts:
    """Cluster the samples; of each cluster some train, some validate, the rest test (bhukya2021, 3.1).

    Only clusters larger than both caps together give test samples, so the test set holds the common kinds of
    sample alone; and members of one cluster stand on all sides.

    Parameters
    ----------
    X : array, shape (samples, genes)
        Values as they are clustered.
    n_clusters, training_cap, validation_cap : int
        As printed in the paper.
    seed : int
        Starts the clustering and draws the samples. Neither algorithm nor seed is stated in the paper; ours
        is mini-batch k-means with scikit-learn's defaults.

    Raises
    ------
    ParameterError
        If there are fewer samples than clusters, a cap is below 1, or nothing is left to test on.
    """
    from sklearn.cluster import MiniBatchKMeans

    X = np.asarray(X)
    if not 1 <= n_clusters <= len(X):
        raise ParameterError(f"n_clusters {n_clusters}: give 1 to {len(X)}, the number of samples")
    if min(training_cap, validation_cap) < 1:
        raise ParameterError(f"caps {training_cap} and {validation_cap}: both must be at least 1")
    cluster = MiniBatchKMeans(n_clusters, n_init=3, random_state=seed).fit_predict(X)
    order = np.random.default_rng(seed).permutation(len(X))
    order = order[np.argsort(cluster[order], kind="stable")]
    sizes = np.bincount(cluster, minlength=n_clusters)
    place = np.arange(len(X)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    part = np.digitize(place, [training_cap, training_cap + validation_cap])
    rows = [np.sort(order[part == one]) for one in range(3)]
    if not len(rows[2]):
        raise ParameterError(
            f"no cluster has more than {training_cap} + {validation_cap} samples (the largest: "
            f"{sizes.max()}), so nothing is left to test on: lower the caps"
        )
    return CappedParts(*rows, cluster)


def assert_groups_apart(groups: Sequence, *parts: np.ndarray) -> None:
    """Raise if a group, or a sample, stands in more than one of the index arrays `parts`.

    Raises
    ------
    DataError
        Naming up to three of the groups that leak.
    """
    groups = np.asarray(groups)
    seen: set = set()
    for part in parts:
        here = set(groups[np.asarray(part)].tolist())
        if here & seen:
            shown = ", ".join(repr(group) for group in sorted(here & seen, key=str)[:3])
            raise DataError(f"{len(here & seen)} groups stand on both sides of the split, e.g. {shown}")
        seen |= here


def check_groups(
    groups: Any, y: Any = None, n_splits: int = 2, *, n_samples: int | None = None
) -> np.ndarray:
    """Return `groups` as an array, or say why they cannot be cut into `n_splits` folds.

    Raises
    ------
    DataError
        If lengths differ, a group is missing, there are fewer groups than folds, a class has fewer groups
        than folds (named, with counts), or there is a single class.
    """
    if groups is None:
        raise ParameterError("groups are needed: the donor, patient or study of each sample")
    if n_splits < 2:
        raise ParameterError(f"{n_splits} folds: at least 2 are needed")
    groups = np.asarray(groups)
    n_samples = (len(groups) if y is None else len(y)) if n_samples is None else n_samples
    if len(groups) != n_samples:
        raise DataError(f"groups has {len(groups)} entries for {n_samples} samples")
    if pd.isna(groups).any():
        raise DataError(
            f"{int(pd.isna(groups).sum())} of {len(groups)} samples have no group; drop them first"
        )
    n_groups = len(np.unique(groups))
    if n_groups < n_splits:
        raise DataError(f"{n_groups} groups cannot be cut into {n_splits} folds: use fewer folds")
    if is_classification(y):
        _check_classes(np.asarray(y), groups, n_splits)
    return groups


def _check_classes(y: np.ndarray, groups: np.ndarray, n_splits: int) -> None:
    """Raise unless there are two classes or more, each with at least one group per fold."""
    if len(y) != len(groups):
        raise DataError(f"y has {len(y)} entries for {len(groups)} samples")
    if pd.isna(y).any():
        raise DataError(f"{int(pd.isna(y).sum())} of {len(y)} samples have no label; drop them first")
    counts = pd.Series(groups).groupby(y).nunique()
    if len(counts) < 2:
        raise DataError(f"y holds the single class {str(counts.index[0])!r}: two are needed to classify")
    rare = counts[counts < n_splits]
    if len(rare):
        listed = ", ".join(f"{str(name)!r} ({count} groups)" for name, count in rare.items())
        raise DataError(
            f"too few groups for {n_splits} folds in class {listed}: use fewer folds or drop the class"
        )


def is_classification(y: Any) -> bool:
    """Tell whether `y` holds class labels, rather than numbers to regress on (or nothing)."""
    if y is None or np.ndim(y) != 1:
        return False
    values = np.asarray(y)
    return values.dtype.kind != "f" or not type_of_target(values).startswith("continuous")
