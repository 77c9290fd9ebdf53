"""Samples with landmark and target genes, prepared: what the models of one fold are given.

`exprml.evaluation.inference` decides which samples train; here values are taken out of an AnnData, matched
between two collections, scaled, and cut into landmarks and targets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, UnknownNameError, check_known
from exprml.evaluation.splits import check_groups


@dataclass(frozen=True)
class Data:
    """What the models of one fold were given, after preparation; arrays are float32, samples x genes.

    Attributes
    ----------
    train, validation, test : tuple of (landmarks, targets) arrays
    train_groups : array
        Group of each training sample.
    test_samples, test_groups : array
        Name and group of each test sample.
    landmarks, targets : array of str
        Names of the columns.
    prepare : transformer
        As fitted, on landmark and target genes in the order of `genes`.
    genes : array of str
    left_out : int
        Groups of the source that the target has too, and that were not trained on.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    train_groups: np.ndarray
    test_samples: np.ndarray
    test_groups: np.ndarray
    landmarks: np.ndarray
    targets: np.ndarray
    prepare: BaseEstimator
    genes: np.ndarray
    left_out: int = 0


@dataclass(frozen=True)
class Side:
    """Samples with the genes that matter: values (float32), names, groups, which genes are which."""

    values: np.ndarray
    samples: np.ndarray
    groups: np.ndarray
    genes: np.ndarray
    is_landmark: np.ndarray

    def part(self, rows: np.ndarray) -> Side:
        """Return the samples at the indices."""
        picked = {name: getattr(self, name)[rows] for name in ("values", "samples", "groups")}
        return replace(self, **picked)

    def scaled(self, prepare: Any) -> Side:
        """Return the samples prepared."""
        return replace(self, values=np.asarray(prepare.transform(self.values), dtype=np.float32))


def side_of(expression: AnnData, groups: Any) -> Side:
    """Return landmark and target genes of the samples, checked."""
    lacking = [name for name in ("is_landmark", "is_target") if name not in expression.var]
    if lacking:
        raise DataError(f"var has no column {lacking[0]!r}: mark landmark and target genes first")
    landmark, target = (expression.var[name].to_numpy(dtype=bool) for name in ("is_landmark", "is_target"))
    if (landmark & target).any() or not landmark.any() or not target.any():
        raise DataError(
            f"{landmark.sum()} landmark and {target.sum()} target genes, {(landmark & target).sum()} of them "
            "both: there must be some of each, and none both"
        )
    genes = landmark | target
    values = expression.X if genes.all() else expression.X[:, genes]
    values = np.asarray(values.toarray() if sparse.issparse(values) else values, dtype=np.float32)
    names = np.asarray(expression.var_names)[genes].astype(str)
    if not np.isfinite(values).all():
        lost = names[~np.isfinite(values).all(axis=0)]
        raise DataError(f"{len(lost)} genes have values that are missing or infinite, as {str(lost[0])!r}")
    if isinstance(groups, str) and groups not in expression.obs:
        raise UnknownNameError("obs column", groups, expression.obs.columns, "groups")
    given = expression.obs[groups] if isinstance(groups, str) else groups
    given = np.arange(len(values)) if given is None else given
    group = check_groups(np.asarray(given), n_samples=len(values))
    return Side(values, np.asarray(expression.obs_names).astype(str), group, names, landmark[genes])


def common_genes(source: Side, target: Side) -> tuple[Side, Side]:
    """Return both with the genes they share, in the source's order."""
    place = pd.Series(np.arange(len(target.genes)), index=target.genes)
    if not place.index.is_unique or len(set(source.genes)) < len(source.genes):
        raise DataError("gene names are not unique: genes of source and target cannot be matched")
    shared = np.isin(source.genes, target.genes)
    there = place[source.genes[shared]].to_numpy()
    here = replace(
        source,
        values=source.values[:, shared],
        genes=source.genes[shared],
        is_landmark=source.is_landmark[shared],
    )
    if (here.is_landmark != target.is_landmark[there]).any():
        odd = here.genes[here.is_landmark != target.is_landmark[there]]
        raise DataError(f"{len(odd)} genes are landmarks in source or target alone, as {str(odd[0])!r}")
    if not here.is_landmark.any() or here.is_landmark.all():
        raise DataError(f"source and target share {len(here.genes)} genes: no landmark, or no target, left")
    return here, replace(
        target, values=target.values[:, there], genes=here.genes, is_landmark=here.is_landmark
    )


def fitted_on(prepare: BaseEstimator | None, values: np.ndarray) -> Any:
    """Return a fitted copy of `prepare`."""
    return clone(prepare if prepare is not None else StandardScaler()).fit(values)


def for_target(fitted: Any, values: np.ndarray, statistics: str, adapt: Callable | None) -> Any:
    """Return what prepares target samples, from what was fitted on the source."""
    fitted = fitted if adapt is None else adapt(fitted)
    if statistics == "source":
        return fitted
    if not isinstance(fitted, Pipeline):
        return clone(fitted).fit(values)
    for _, step in fitted.steps[:-1]:
        values = step.transform(values)
    name, last = fitted.steps[-1]
    return Pipeline([*fitted.steps[:-1], (name, clone(last).fit(values))])


def cut(sides: Sequence[Side], prepare: Any, targets: Sequence[str] | None, left_out: int = 0) -> Data:
    """Return prepared samples as landmarks and targets."""
    train, _, test = sides
    landmark = train.is_landmark
    wanted = ~landmark
    if targets is not None:
        check_known("target gene", targets, train.genes[~landmark])
        wanted = wanted & np.isin(train.genes, list(targets))
    pairs = [(one.values[:, landmark], one.values[:, wanted]) for one in sides]
    names = {"landmarks": train.genes[landmark], "targets": train.genes[wanted], "genes": train.genes}
    tested = {"test_samples": test.samples, "test_groups": test.groups}
    return Data(*pairs, train_groups=train.groups, **tested, **names, prepare=prepare, left_out=left_out)
