"""Who is trained on and who is scored: generators of parts for `exprml.evaluation.experiment.run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.model_selection import KFold

from exprml.base.errors import DataError, ParameterError, UnknownNameError, check_known
from exprml.evaluation import splits
from exprml.evaluation.experiment import Part, Samples
from exprml.evaluation.linear_signal import remove_linear_signal, remove_within

SHUFFLED = "shuffled labels"
SPLITS = {
    "group": splits.GroupFolds,
    "stratified-group": lambda n_splits, seed: splits.GroupFolds(n_splits, seed, stratify=True),
    # What leaks when groups repeat (heil2022 Supp Fig 8).
    "sample": lambda n_splits, seed: KFold(n_splits, shuffle=True, random_state=seed),
}
REMOVALS = ("none", "split", "joint", "training")
MODES = {
    "intact": "none",
    "removed": "split",
    "removed jointly": "joint",
    "removed within": "split",
    "removed in training only": "training",
}
PRETRAINING = (
    "not pretrained", "pretrained", "pooled", "pretrained on shuffled labels", "not trained further",
)  # fmt: skip
Pairs = Sequence[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Protocol:
    """How samples are divided, and what is done to them before a model sees them.

    Attributes
    ----------
    folds : int or list of (training, validation) indices
        Number of folds for each seed, or the folds themselves.
    folds_run : int, optional
        Run only the first so many of them; the folds stay the same.
    seeds : sequence of int
        Each draws its own folds and subsets (heil2022, Model evaluation).
    fractions : sequence of float
        Shares of the training samples, see `learning_curve_subsets`.
    split : {"group", "stratified-group", "sample"}
        How folds are made; "sample" ignores the groups, which leaks.
    removal : {"none", "split", "joint", "training"}
        Remove the linear signal of the labels: "split" once from the training folds and once from the
        validation fold, each with its own labels; "joint" from all data before splitting (heil2022, Signal
        removal); "training" from the training folds alone, since nobody has the labels of new samples.
    removal_scope : {"fold", "subset"}
        With "split": remove before the training subset is drawn (the paper's way), or after.
    within : array, shape (samples,), or the name of an obs column of an AnnData
        With "split": remove separately within each of its levels (a cohort), so that differences between
        the classes that are linear in one level and other in the next go too.
    shuffle_labels : bool
        Control: permute the labels over all samples first, once per seed. A fold in which that leaves a
        level of `within` a single class is not scored.
    task, setting : str
        Copied into the table.
    """

    folds: int | Pairs = 5
    folds_run: int | None = None
    seeds: Sequence[int] = (0,)
    fractions: Sequence[float] = (1.0,)
    split: str = "group"
    removal: str = "none"
    removal_scope: str = "fold"
    within: Any = None
    shuffle_labels: bool = False
    task: str = ""
    setting: str = ""

    def __post_init__(self) -> None:
        check_known("split", [self.split], SPLITS)
        check_known("removal", [self.removal], REMOVALS)
        check_known("removal_scope", [self.removal_scope], ("fold", "subset"))

    def words(self, **more: Any) -> dict[str, Any]:
        """Return what names a part."""
        split = self.split if isinstance(self.folds, int | np.integer) else "given"
        control = SHUFFLED if self.shuffle_labels else ""
        return {"task": self.task, "setting": self.setting, "split": split, "control": control, **more}

    def pairs(self, seed: int, y: Any, groups: np.ndarray) -> Pairs:
        """Return the (training, validation) indices of one seed.

        Raises
        ------
        DataError
            If the samples cannot be cut so, or a group stands on both sides.
        """
        kept = np.arange(len(groups)) if self.split == "sample" else groups
        if isinstance(self.folds, int | np.integer):
            labels = y if splits.is_classification(y) else None
            splits.check_groups(kept, labels, self.folds)
            cut = SPLITS[self.split](int(self.folds), seed)
            pairs = list(cut.split(kept, labels, groups if kept is groups else None))
        else:
            pairs = [(np.asarray(train), np.asarray(validation)) for train, validation in self.folds]
        for pair in pairs:
            splits.assert_groups_apart(kept, *pair)
        return pairs

    def shuffled(self, y: np.ndarray, seed: int) -> np.ndarray:
        """Return the labels, permuted where this is the control."""
        return np.random.default_rng([seed, 1]).permutation(y) if self.shuffle_labels else y


def folds(X: Any, y: Any, groups: Any = None, protocol: Protocol = Protocol()) -> Iterator[Part]:
    """Yield the parts of cross-validation: a seed, a fold, a training size after the other.

    Parameters
    ----------
    X : ndarray, DataFrame or AnnData, shape (samples, features)
        Expression values.
    y, groups : array, shape (samples,), or the name of an obs column of an AnnData
        Labels (or numbers, also samples x targets; None: `X` is to be reconstructed) and the groups that must
        stay on one side. Without groups each sample is its own group.
    protocol : Protocol
        What is held out, removed and drawn.

    Raises
    ------
    ParameterError, DataError
        See `GroupFolds` and `remove_linear_signal`.
    """
    within = obs_column(X, protocol.within, "within")
    samples = samples_of(X, y, groups)
    _check_protocol(protocol, samples.y, within)
    for seed in protocol.seeds:
        there = samples._replace(y=protocol.shuffled(samples.y, seed))
        if protocol.removal == "joint":
            there = there._replace(X=remove_linear_signal(there.X, there.y))
        for fold, pair in enumerate(protocol.pairs(seed, there.y, there.groups)[: protocol.folds_run]):
            levels = [None if within is None else within[rows] for rows in pair]
            yield from _curve(*map(there.take, pair), levels, protocol, {"fold": fold, "seed": seed})


def _curve(
    train: Samples, validation: Samples, within: Sequence, protocol: Protocol, where: dict[str, int]
) -> Iterator[Part]:
    """Yield the training subsets of one fold; signal is removed once per fold, or per subset."""
    scope = protocol.removal_scope if protocol.removal in ("split", "training") else None
    usable = not scope or all(_several_classes(one.y) for one in (train, validation))
    if usable and within[0] is not None and protocol.shuffle_labels:  # chance may leave a level one class
        sides = (train.y, within[0]), (validation.y, within[1])
        usable = all(_several_classes(y[at == level]) for y, at in sides for level in np.unique(at))
    if scope and usable:
        if protocol.removal == "split":
            validation = without_signal(validation, within[1])
        if scope == "fold":
            train = without_signal(train, within[0])
    seed = where["seed"] * 1009 + where["fold"]
    for rows in splits.learning_curve_subsets(len(train.X), protocol.fractions, seed=seed).values():
        subset = train if len(rows) == len(train.X) else train.take(rows)
        fits = usable and (not splits.is_classification(train.y) or _several_classes(subset.y))
        if scope == "subset" and fits:
            subset = without_signal(subset, None if within[0] is None else within[0][rows])
        yield Part(protocol.words(**where, n_train=len(rows)), subset, validation, usable=bool(fits))


def before_and_after(
    X: Any,
    y: Any,
    groups: Any,
    protocol: Protocol,
    *,
    modes: Sequence[str] = ("intact", "removed"),
    within: Any = None,
) -> Iterator[Part]:
    """Yield the parts of `folds` for each of the `modes`, which become the column ``setting``.

    Parameters
    ----------
    X, y, groups, protocol
        As in `folds`.
    modes : sequence of names of `MODES`
        "intact"; "removed" from training and validation apart; "removed jointly" from all data before
        splitting; "removed within", as "removed", but apart in each level of `within`; "removed in
        training only".
    within : array or the name of an obs column of an AnnData
        Only for "removed within"; a name is added to that setting.

    Raises
    ------
    UnknownNameError
        If a mode is unknown.
    ParameterError
        If "removed within" has nothing to be within.
    """
    check_known("mode", modes, MODES)
    for mode in modes:
        inside = within if mode == "removed within" else None
        if mode == "removed within" and within is None:
            raise ParameterError("mode 'removed within' needs `within`: the levels to remain inside of")
        setting = f"{mode} {inside}" if isinstance(inside, str) else mode
        yield from folds(X, y, groups, replace(protocol, removal=MODES[mode], within=inside, setting=setting))


def pretraining(
    samples: Samples, protocol: Protocol, *, modes: Sequence[str] = PRETRAINING[:2]
) -> Iterator[Part]:
    """Yield training subsets with and without samples before them; the modes become ``setting``.

    Fold i validates, two folds are for pretraining and two for training (40/40/20 of the groups); the
    training subsets of a fold are the same in all modes.

    Parameters
    ----------
    samples : Samples
        Of `samples_of`.
    protocol : Protocol
        Its folds, seeds and fractions; heil2022 has five, three and ten.
    modes : sequence of str
        "not pretrained"; "pretrained", trained further on the subset; "pooled", trained once on pretraining
        samples and subset together (control: is pretraining more than data?); "pretrained on shuffled
        labels" (control); "not trained further", the pretrained model as it is, with ``n_train`` 0 (control:
        what the curve of "pretrained" begins with).
    """
    check_known("mode", modes, PRETRAINING)
    for seed in protocol.seeds:
        there = samples._replace(y=protocol.shuffled(samples.y, seed))
        rounds = list(splits.pretraining_split(there.groups, there.y, n_splits=protocol.folds, seed=seed))
        for fold, rows in enumerate(rounds[: protocol.folds_run]):
            splits.assert_groups_apart(there.groups, *rows)
            before, train, validation = map(there.take, rows)
            shuffled = before._replace(y=np.random.default_rng([seed, 2]).permutation(before.y))
            starts = {"pretrained": before, "not trained further": before, PRETRAINING[3]: shuffled}
            for mode in modes:
                bare = replace(protocol, fractions=(1.0,)) if mode == "not trained further" else protocol
                named = replace(bare, setting=mode)
                for part in _curve(train, validation, (None, None), named, {"fold": 0, "seed": seed}):
                    words, subset = {**part.words, "fold": fold}, part.train
                    if mode == "pooled":
                        subset = Samples(*map(np.concatenate, zip(before[:4], subset[:4], strict=True)))
                    if mode == "not trained further":
                        words, subset = {**words, "n_train": 0}, subset.take(np.arange(0))
                    yield replace(part, words=words, train=subset, before=starts.get(mode))


def samples_of(X: Any, y: Any, groups: Any = None) -> Samples:
    """Return what is given as arrays, obs columns by their names, samples by their position; see `folds`."""
    y, groups = obs_column(X, y, "y"), obs_column(X, groups, "groups")
    matrix = X.X if isinstance(X, AnnData) else X
    matrix = matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)
    names = np.arange(len(matrix))
    groups = names if groups is None else groups
    for name, given in (("y", y), ("groups", groups)):
        if given is not None and len(given) != len(matrix):
            raise DataError(f"{name} has {len(given)} entries for {len(matrix)} samples")
    if y is not None and y.dtype.kind in "OU" and (y == "").any():
        raise DataError(
            f"{int((y == '').sum())} of {len(y)} samples have an empty label, which is no class: leave them "
            "out (exprml.data.preprocess.keep_classes)"
        )
    return Samples(matrix, y, groups, names)


def without_signal(samples: Samples, within: np.ndarray | None = None) -> Samples:
    """Return the samples without the linear signal of their own labels, and what it was removed within."""
    levels = np.zeros(len(samples.X)) if within is None else within
    return samples._replace(X=remove_within(samples.X, samples.y, within), removed_within=levels)


def _several_classes(labels: np.ndarray) -> bool:
    """Tell whether there are at least two classes."""
    return len(np.unique(labels)) > 1


def _check_protocol(protocol: Protocol, y: np.ndarray | None, within: np.ndarray | None) -> None:
    """Raise if the protocol does not fit the labels."""
    if not splits.is_classification(y) and (protocol.removal != "none" or protocol.shuffle_labels):
        raise ParameterError("removal and shuffle_labels need class labels, not numbers")
    if within is None:
        return
    if protocol.removal != "split":
        raise ParameterError(f"within needs removal='split', not {protocol.removal!r}")
    if len(within) != len(y):
        raise DataError(f"within has {len(within)} entries for {len(y)} samples")
    if pd.isna(within).any():
        raise DataError(f"within: {int(pd.isna(within).sum())} samples have no level; drop them first")


def obs_column(X: Any, given: Any, what: str) -> np.ndarray | None:
    """Return `given` as an array, or the obs column it names."""
    if not isinstance(given, str):
        return None if given is None else np.asarray(given)
    if not isinstance(X, AnnData) or given not in X.obs:
        raise UnknownNameError("obs column", given, X.obs.columns if isinstance(X, AnnData) else [], what)
    return np.asarray(X.obs[given])
