"""Who is trained on and who is scored: generators of parts for `exprml.evaluation.experiment.run`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.evaluation.arrays import as_arrays, obs_column
from exprml.evaluation.experiment import Part, Samples
from exprml.evaluation.linear_signal import remove_linear_signal, remove_within
from exprml.evaluation.splits import (
    GroupFolds,
    SampleFolds,
    assert_groups_apart,
    is_classification,
    learning_curve_subsets,
    pretraining_split,
)

SHUFFLED = "shuffled labels"
SPLITS = {
    "group": GroupFolds,
    "stratified-group": lambda n_splits, seed: GroupFolds(n_splits, seed, stratify=True),
    "sample": SampleFolds,
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
HELD_OUT = "held out"
SCALINGS = ("source scaling", "one shift", "own means", "own scaling")
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
        Control: permute the labels over all samples first, once per seed.
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
        """Return the (training, validation) indices of one seed; folds that are given are not checked.

        Raises
        ------
        DataError
            If the samples cannot be cut so, or a group stands on both sides.
        """
        if not isinstance(self.folds, int | np.integer):
            return [(np.asarray(train), np.asarray(validation)) for train, validation in self.folds]
        labels = y if is_classification(y) else None
        pairs = list(SPLITS[self.split](int(self.folds), seed).split(groups, labels, groups))
        if self.split != "sample":
            for pair in pairs:
                assert_groups_apart(groups, *pair)
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
    labelled = is_classification(train.y)
    scope = protocol.removal_scope if protocol.removal in ("split", "training") else None
    usable = not scope or all(_several_classes(one.y) for one in (train, validation))
    if scope and usable:
        if protocol.removal == "split":
            validation = without_signal(validation, within[1])
        if scope == "fold":
            train = without_signal(train, within[0])
    seed = where["seed"] * 1009 + where["fold"]
    for rows in learning_curve_subsets(len(train.X), protocol.fractions, seed=seed).values():
        subset = train if len(rows) == len(train.X) else train.take(rows)
        fits = usable and (not labelled or _several_classes(subset.y))
        if scope == "subset" and fits:
            subset = without_signal(subset, None if within[0] is None else within[0][rows])
        words = protocol.words(**where, n_train=len(rows))
        yield Part(words, subset, validation, usable=bool(fits))


def before_and_after(
    X: Any, y: Any, groups: Any, protocol: Protocol, *, modes: Sequence[str], within: Any = None
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


def pretraining(samples: Samples, protocol: Protocol, *, modes: Sequence[str]) -> Iterator[Part]:
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
        rounds = list(pretraining_split(samples.groups, samples.y, n_splits=protocol.folds, seed=seed))
        for fold, rows in enumerate(rounds[: protocol.folds_run]):
            assert_groups_apart(samples.groups, *rows)
            before, train, validation = map(samples.take, rows)
            shuffled = before._replace(y=np.random.default_rng([seed, 2]).permutation(before.y))
            starts = {"pretrained": before, "not trained further": before, PRETRAINING[3]: shuffled}
            for mode in modes:
                bare = replace(protocol, fractions=(1.0,)) if mode == "not trained further" else protocol
                named = replace(bare, setting=mode)
                for part in _curve(train, validation, (None, None), named, {"fold": 0, "seed": seed}):
                    words, subset = {**part.words, "fold": fold}, part.train
                    if mode == "pooled":
                        subset = Samples(*map(np.concatenate, zip(before, subset, strict=True)))
                    if mode == "not trained further":
                        words, subset = {**words, "n_train": 0}, subset.take(np.arange(0))
                    yield replace(part, words=words, train=subset, before=starts.get(mode))


def across(
    source: AnnData,
    target: AnnData,
    y: str,
    groups: str,
    protocol: Protocol,
    *,
    scalings: Sequence[str],
    modes: Sequence[str],
) -> Iterator[Part]:
    """Yield folds of `source`, tested on its own held-out fold and, scaled in several ways, on `target`.

    Parameters
    ----------
    source, target : AnnData, samples x the same genes in the same order
        What is learnt from, and what is only tested on. A group that is in both is never trained on and
        tested on at once: target samples of the training groups are left out.
    y, groups : str
        Columns of both ``obs``. A class of the target must be a class of the source.
    protocol : Protocol
        Of the source's folds.
    scalings : sequence of `SCALINGS`
        What is done to the target before it is standardised as the source's training samples are: nothing;
        one number added to all values, which moves its grand mean to the source's; a number added to each
        gene; or its own mean and spread for each gene in place of the source's.
    modes : sequence of {"intact", "removed"}
        "removed": linear signal of the labels taken from training, held-out and target samples apart, each
        with its own labels: a probe, as in `remove_linear_signal`.

    Raises
    ------
    DataError
        If genes or classes of the two do not fit, or no target sample is left.
    UnknownNameError
        If a scaling or mode is unknown.
    """
    check_known("scaling", scalings, SCALINGS)
    check_known("mode", modes, ("intact", "removed"))
    here, there = _both(source, target, y, groups)
    for seed in protocol.seeds:
        ours = here._replace(y=protocol.shuffled(here.y, seed))
        pairs = protocol.pairs(seed, ours.y, ours.groups)[: protocol.folds_run]
        for (fold, (train, held)), mode in product(enumerate(pairs), modes):
            away = there.take(~np.isin(there.groups, ours.groups[train]))
            if not len(away.y):
                raise DataError(f"fold {fold}: every group of the target is trained on too; cut more folds")
            sides = [ours.take(train), ours.take(held), away]
            trained, held_out, away = map(without_signal, sides) if mode == "removed" else sides
            fitted = StandardScaler().fit(trained.X)
            scaled = trained._replace(X=fitted.transform(trained.X))
            words = protocol.words(fold=fold, seed=seed, n_train=len(train)) | {"split": "transfer"}
            own = held_out._replace(X=fitted.transform(held_out.X))
            yield Part({**words, "setting": f"{mode}, {HELD_OUT}"}, scaled, own)
            for way in scalings:
                seen = away._replace(X=rescale(away.X, trained.X, fitted, way))
                yield Part({**words, "setting": f"{mode}, {way}"}, scaled, seen)


def rescale(target: np.ndarray, source: np.ndarray, fitted: StandardScaler, scaling: str) -> np.ndarray:
    """Return the target's values, (samples, genes), as a model trained on scaled `source` gets to see them.

    Parameters
    ----------
    target, source : ndarray, shape (samples, genes)
        Unscaled values; of the source the training samples.
    fitted : StandardScaler
        Fitted to `source`; under "own scaling" another is fitted to `target` instead.
    scaling : one of `SCALINGS`
        See `across`.
    """
    if scaling == "own scaling":
        return StandardScaler().fit_transform(target)
    if scaling == "one shift":
        target = target + (source.mean(dtype=float) - target.mean(dtype=float))
    if scaling == "own means":
        target = target + (source.mean(axis=0, dtype=float) - target.mean(axis=0, dtype=float))
    return fitted.transform(target)


def by_share(
    source: AnnData,
    target: AnnData,
    y: str,
    groups: str,
    *,
    positive: str,
    shares: Sequence[float],
    draws: int,
    seed: int,
    task: str,
) -> Iterator[Part]:
    """Yield all of `source`, tested on all of `target` as samples with a chosen share of `positive` scale it.

    Parameters
    ----------
    source, target, y, groups
        As in `across`; source samples whose group the target has too are left out.
    positive : str
        The class whose share is set, of two.
    shares : sequence of float
        Shares of `positive` among the samples whose mean and spread are used; the column ``share``. At every
        share as many samples are drawn as the rarer class has.
    draws, seed : int
        How often these samples are drawn (the column ``fold``), and by which seed.
    task : str
        Copied into the table.
    """
    here, there = _both(source, target, y, groups)
    _check_shares(there.y, positive, shares)
    here = here.take(~np.isin(here.groups, there.groups))
    theirs = StandardScaler().fit(here.X)
    trained = here._replace(X=theirs.transform(here.X))
    words = Protocol(task=task).words(seed=seed, n_train=len(here.y)) | {"split": "transfer"}
    as_source = {"setting": SCALINGS[0], "fold": 0, "share": np.nan}
    yield Part(words | as_source, trained, there._replace(X=theirs.transform(there.X)))
    for share, draw in product(shares, range(draws)):
        own = StandardScaler().fit(there.X[drawn_with_share(there.y == positive, share, [seed, draw])])
        where = {"setting": f"statistics at {share:.0%} {positive}", "fold": draw, "share": share}
        yield Part(words | where, trained, there._replace(X=own.transform(there.X)))


def drawn_with_share(positive: np.ndarray, share: float, seed: list[int]) -> np.ndarray:
    """Return indices of as many samples as the rarer class has, the given share of them positive."""
    generator = np.random.default_rng(seed)
    size = min(positive.sum(), (~positive).sum())
    n_positive = round(share * size)
    sides = [(np.flatnonzero(positive), n_positive), (np.flatnonzero(~positive), size - n_positive)]
    return np.concatenate([generator.choice(one, count, replace=False) for one, count in sides])


def samples_of(X: Any, y: Any, groups: Any = None) -> Samples:
    """Return what is given as arrays, the samples named by their position; see `folds`."""
    matrix, y, groups = as_arrays(X, y, groups)
    return Samples(matrix, y, groups, np.arange(len(matrix)))


def without_signal(samples: Samples, within: np.ndarray | None = None) -> Samples:
    """Return the samples without the linear signal of their own labels."""
    return samples._replace(X=remove_within(samples.X, samples.y, within))


def _several_classes(labels: np.ndarray) -> bool:
    """Tell whether there are at least two classes."""
    return len(np.unique(labels)) > 1


def _check_protocol(protocol: Protocol, y: np.ndarray | None, within: np.ndarray | None) -> None:
    """Raise if the protocol does not fit the labels."""
    if not is_classification(y) and (protocol.removal != "none" or protocol.shuffle_labels):
        raise ParameterError("removal and shuffle_labels need class labels, not numbers")
    if within is None:
        return
    if protocol.removal != "split":
        raise ParameterError(f"within needs removal='split', not {protocol.removal!r}")
    if len(within) != len(y):
        raise DataError(f"within has {len(within)} entries for {len(y)} samples")
    if pd.isna(within).any():
        raise DataError(f"within: {int(pd.isna(within).sum())} samples have no level; drop them first")


def _check_shares(classes: np.ndarray, positive: str, shares: Sequence[float]) -> None:
    """Raise unless there are two classes, `positive` one of them, and the shares are such."""
    known = np.unique(classes).tolist()
    if len(known) != 2:
        raise DataError(f"the target has {len(known)} classes ({', '.join(known)}): a share needs two")
    check_known("class of the target", [positive], known)
    wrong = [share for share in shares if not 0 <= share <= 1]
    if wrong:
        raise ParameterError(f"share {wrong[0]} of {positive!r} is outside 0 to 1")


def _both(source: AnnData, target: AnnData, y: str, groups: str) -> tuple[Samples, Samples]:
    """Return both collections as arrays, after a look at genes and classes."""
    if not source.var_names.equals(target.var_names):
        common = len(source.var_names.intersection(target.var_names))
        raise DataError(
            f"source ({source.n_vars} genes) and target ({target.n_vars}) share {common} genes: "
            "give both the same genes in the same order"
        )
    here, there = (
        one._replace(y=one.y.astype(str), groups=one.groups.astype(str))
        for one in (samples_of(side, y, groups) for side in (source, target))
    )
    unknown = sorted(set(there.y) - set(here.y))
    if unknown:
        raise DataError(f"target class {unknown[0]!r} of {y!r} is not in the source: drop or rename it")
    return here, there
