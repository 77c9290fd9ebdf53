"""Parts whose features are landmark genes and whose targets are the other genes (chen2016, bhukya2021).

Samples are cut into training, validation and test by whole groups. Whatever is learnt from data, the scaling
too, is learnt from training samples, unless a generator is told otherwise; validation samples choose an epoch
or a penalty; test samples are predicted, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from exprml.base.errors import DataError, ParameterError, check_known, require_columns
from exprml.evaluation.experiment import Part, Samples
from exprml.evaluation.gene_errors import SHUFFLED
from exprml.evaluation.parts import obs_column
from exprml.evaluation.splits import assert_groups_apart, check_groups, fold_numbers


class ThreeParts(NamedTuple):
    """Indices of the samples that train, that choose (epoch, penalty), and that test."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class LandmarkProtocol:
    """How samples are divided and prepared, and which genes are predicted.

    Attributes
    ----------
    groups : str, array or None
        The obs column, or group of each sample, that no two parts share. None: every sample by itself.
    prepare : transformer, optional
        Fitted on and applied to landmark and target genes together, in the order of the expression; default
        standardises each gene.
    n_folds, folds_run, seeds
        See `three_parts`; folds 0 to `folds_run` - 1 test in turn, and each seed orders the groups anew.
    targets : sequence of str, optional
        Predict these target genes alone; what is prepared stays the same.
    shuffle_targets : bool
        Control: permute the rows of the training targets, so that no landmark belongs to its targets.
    task, setting, split : str
        Copied into the tables; `split` is "group", or "sample" without groups, if left empty.
    """

    groups: Any = "patient"
    prepare: BaseEstimator | None = None
    n_folds: int = 10
    folds_run: int = 1
    seeds: Sequence[int] = (0,)
    targets: Sequence[str] | None = None
    shuffle_targets: bool = False
    task: str = "targets"
    setting: str = ""
    split: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.folds_run <= self.n_folds:
            raise ParameterError(f"folds_run={self.folds_run}: between 1 and n_folds={self.n_folds}")

    def words(self, **more: Any) -> dict[str, Any]:
        """Return what names a part."""
        split = self.split or ("sample" if self.groups is None else "group")
        control = SHUFFLED if self.shuffle_targets else ""
        return {"task": self.task, "setting": self.setting, "split": split, "control": control, **more}

    def fitted_on(self, values: np.ndarray) -> Any:
        """Return a fitted copy of what prepares."""
        return clone(self.prepare if self.prepare is not None else StandardScaler()).fit(values)

    def part(
        self, sides: Sequence[Samples], genes: pd.Series, prepare: Any, left_out: int = 0, **where: int
    ) -> LandmarkPart:
        """Return prepared samples that train, choose and test as landmarks and targets."""
        landmark, names = genes.to_numpy(), genes.index.to_numpy()
        wanted = ~landmark
        if self.targets is not None:
            check_known("target gene", self.targets, names[wanted])
            wanted = wanted & np.isin(names, list(self.targets))
        train, validation, test = (one._replace(X=one.X[:, landmark], y=one.X[:, wanted]) for one in sides)
        if self.shuffle_targets:
            order = np.random.default_rng([where["seed"], 1]).permutation(len(train.y))
            train = train._replace(y=train.y[order])
        words = self.words(**where, n_train=len(train.X))
        named = {"landmarks": names[landmark], "targets": names[wanted], "genes": names, "prepare": prepare}
        return LandmarkPart(words, train, test, validation, left_out=left_out, **named)


@dataclass(frozen=True, kw_only=True)
class LandmarkPart(Part):
    """A part after preparation; values are float32, samples x genes.

    Attributes
    ----------
    landmarks, targets : array of str
        Names of the columns of X and y.
    prepare : transformer
        As fitted, on landmark and target genes in the order of `genes`.
    genes : array of str
    left_out : int
        Groups of the source that the target has too, and that were not trained on.
    """

    landmarks: np.ndarray
    targets: np.ndarray
    prepare: Any
    genes: np.ndarray
    left_out: int = 0


def three_parts(groups: Sequence, *, n_folds: int = 10, fold: int = 0, seed: int = 0) -> ThreeParts:
    """Cut samples by whole groups: fold `fold` tests, the next one validates, the others train.

    Ten folds give the 80/10/10 % of chen2016 (section 2.1), there by sample.

    Parameters
    ----------
    groups : array, shape (samples,)
        The group of each sample.
    n_folds : int
        At least 3.
    fold : int
        Which fold tests.
    seed : int
        Orders the groups.

    Raises
    ------
    ParameterError
        If there are fewer than three folds, or no fold of that number.
    DataError
        If there are fewer groups than folds, or a sample has no group.
    """
    if n_folds < 3:
        raise ParameterError(f"n_folds={n_folds}: three parts need at least 3")
    if not 0 <= fold < n_folds:
        raise ParameterError(f"fold={fold}: there are folds 0 to {n_folds - 1}")
    groups = check_groups(groups, n_splits=n_folds)
    turn = (fold_numbers(groups, n_folds, seed) - fold) % n_folds
    parts = ThreeParts(*map(np.flatnonzero, (turn > 1, turn == 1, turn == 0)))
    assert_groups_apart(groups, *parts)
    return parts


def within(
    expression: AnnData, protocol: LandmarkProtocol, *, prepare_on: str = "training"
) -> Iterator[LandmarkPart]:
    """Yield the parts of one collection, fold after fold.

    Parameters
    ----------
    expression : AnnData, samples x genes
        ``var`` has the bool columns is_landmark and is_target; other genes are left out.
    prepare_on : {"training", "all"}
        Which samples `prepare` is fitted on. "all" lets validation and test samples in, as chen2016 does.

    Raises
    ------
    DataError
        If landmark or target genes are missing, values are not finite, or groups cannot be cut.
    UnknownNameError
        If a target, or the obs column, is unknown.
    """
    check_known("prepare_on", [prepare_on], ("training", "all"))
    whole, genes = _of_genes(expression, protocol.groups)
    for seed, fold in product(protocol.seeds, range(protocol.folds_run)):
        rows = three_parts(whole.groups, n_folds=protocol.n_folds, fold=fold, seed=seed)
        prepare = protocol.fitted_on((whole if prepare_on == "all" else whole.take(rows.train)).X)
        sides = [_prepared(whole.take(one), prepare) for one in rows]
        yield protocol.part(sides, genes, prepare, fold=fold, seed=seed)


def between(
    source: AnnData,
    target: AnnData,
    protocol: LandmarkProtocol,
    *,
    validation: str | AnnData = "source",
    target_statistics: str = "source",
    adapt: Callable[[Any], Any] | None = None,
) -> Iterator[LandmarkPart]:
    """Yield parts that train on one collection and test on another, as chen2016 does (section 3.2).

    Genes that both have are used. Groups of the source that the target has too are left out of training and
    validation, and counted in ``left_out``.

    Parameters
    ----------
    source, target : AnnData
        As in `within`; var names are matched, is_landmark and is_target must agree.
    protocol : LandmarkProtocol
        Its groups are an obs column of both. Fold ``fold`` of the source (or target) validates.
    validation : {"source", "target"} or AnnData
        Where the samples that choose come from: a fold of the source, which is then not trained on; a fold of
        the target, which is then not tested on; or a third collection, all of it, prepared as the target is
        (chen2016 chooses on 1000G and tests on GTEx). Then there are no folds.
    target_statistics : {"source", "own"}
        How target samples are prepared: as fitted on the source, or by the target's own statistics: the last
        step of `prepare` is fitted again on all of the target, test samples included (chen2016's way).
    adapt : function, optional
        Takes the fitted `prepare` and returns the one for target samples (another form of quantile
        normalisation with the same reference).
    """
    chooses = None if isinstance(validation, AnnData) else validation
    check_known("validation", filter(None, [chooses]), ("source", "target"))
    check_known("target_statistics", [target_statistics], ("source", "own"))
    if not isinstance(protocol.groups, str):  # numbers of samples would be taken for the same patients
        raise ParameterError(
            f"groups={protocol.groups!r}: an obs column of both is needed, such as 'patient'"
        )
    others = [target] if chooses else [target, validation]
    (here, *others), genes = _common_genes(*(_of_genes(one, protocol.groups) for one in (source, *others)))
    there = others[0]
    others[1:] = [third.take(~np.isin(third.groups, there.groups)) for third in others[1:]]
    shared = np.isin(here.groups, np.concatenate([one.groups for one in others]))
    left_out = len(np.unique(here.groups[shared]))
    here = here.take(~shared)
    for seed, fold in product(protocol.seeds, range(protocol.folds_run if chooses else 1)):
        train, held, test = here, others[-1], there
        if chooses:
            train, held, test = _turn(here, there, chooses, protocol.n_folds, fold, seed)
        prepare = protocol.fitted_on(train.X)
        away = [_for_target(prepare, one.X, target_statistics, adapt) for one in others]
        sides = [
            _prepared(train, prepare),
            _prepared(held, prepare if chooses == "source" else away[-1]),
            _prepared(test, away[0]),
        ]
        yield protocol.part(sides, genes, prepare, left_out, fold=fold, seed=seed)


def _turn(
    here: Samples, there: Samples, chooses: str, n_folds: int, fold: int, seed: int
) -> tuple[Samples, Samples, Samples]:
    """Return the samples that train, choose and test where a fold of the source or of the target chooses."""
    chosen = here if chooses == "source" else there
    mask = fold_numbers(check_groups(chosen.groups, n_splits=n_folds), n_folds, seed) == fold
    rest, held = chosen.take(~mask), chosen.take(mask)
    return (rest, held, there) if chooses == "source" else (here, held, rest)


def _of_genes(expression: AnnData, groups: Any) -> tuple[Samples, pd.Series]:
    """Return the samples with the genes that matter, checked, and which of these genes are landmarks."""
    marks = ("is_landmark", "is_target")
    require_columns(expression.var, marks, "var, where landmark and target genes must be marked first")
    landmark, target = (expression.var[name].to_numpy(dtype=bool) for name in marks)
    if (landmark & target).any() or not landmark.any() or not target.any():
        raise DataError(
            f"{landmark.sum()} landmark and {target.sum()} target genes, {(landmark & target).sum()} of them "
            "both: there must be some of each, and none both"
        )
    used = landmark | target
    values = expression.X if used.all() else expression.X[:, used]
    values = np.asarray(values.toarray() if sparse.issparse(values) else values, dtype=np.float32)
    genes = pd.Series(landmark[used], np.asarray(expression.var_names)[used].astype(str))
    if not np.isfinite(values).all():
        lost = genes.index[~np.isfinite(values).all(axis=0)]
        raise DataError(f"{len(lost)} genes have values that are missing or infinite, as {str(lost[0])!r}")
    given = obs_column(expression, groups, "groups")
    group = check_groups(np.arange(len(values)) if given is None else given, n_samples=len(values))
    return Samples(values, None, group, np.asarray(expression.obs_names).astype(str)), genes


def _common_genes(*sides: tuple[Samples, pd.Series]) -> tuple[list[Samples], pd.Series]:
    """Return all sides with the genes they share, in the first one's order."""
    genes = sides[0][1]
    for _, others in sides[1:]:
        if not (genes.index.is_unique and others.index.is_unique):
            raise DataError("gene names are not unique: genes of source and target cannot be matched")
        genes = genes[genes.index.isin(others.index)]
        odd = genes.index[genes != others[genes.index]]
        if len(odd):
            raise DataError(f"{len(odd)} genes are landmarks in source or target alone, as {str(odd[0])!r}")
        if not genes.any() or genes.all():
            raise DataError(f"source and target share {len(genes)} genes: no landmark, or no target, left")
    return [one._replace(X=one.X[:, known.index.get_indexer(genes.index)]) for one, known in sides], genes


def _prepared(samples: Samples, prepare: Any) -> Samples:
    """Return the samples prepared."""
    return samples._replace(X=np.asarray(prepare.transform(samples.X), dtype=np.float32))


def _for_target(fitted: Any, values: np.ndarray, statistics: str, adapt: Callable | None) -> Any:
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
