"""Remove the linear signal of labels from expression data, equal to R limma's ``removeBatchEffect``.

heil2022 (Signal removal) uses it as a probe: afterwards every class has the same mean for every gene, so
whatever a model still predicts is nonlinear. It needs the labels, so it is never a deployable predictor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from exprml.base.errors import DataError, ParameterError

_CACHE_VALUES = 1 << 16  # values looked up at once: half a megabyte stays in the cache
_PRODUCT_VALUES = 1 << 21  # values multiplied at once: small threaded products stall when the cores are busy


def remove_linear_signal(
    X: Any, labels: Any, *, design: Any = None, covariates: Any = None
) -> np.ndarray | pd.DataFrame:
    """Return `X` without the differences that a linear model assigns to `labels` and `covariates`.

    Least squares fits ``[design | labels in sum contrasts | covariates]`` to every feature; the fitted part
    of labels and covariates is subtracted, what `design` explains is kept. With one label column and no
    design this is: subtract from each sample (its class mean minus the unweighted mean of all class means).

    Parameters
    ----------
    X : ndarray or DataFrame, shape (samples, features)
        Expression values. float32 and float64 are kept (sums are always in float64), other numbers become
        float64, sparse matrices become dense. `X` itself is not changed.
    labels : vector, table or None
        One label per sample, or several label columns (a DataFrame, a 2-D array). A Series or DataFrame must
        have the ids of `X` (where it has any), in the same order. None: only covariates are removed.
    design : array, shape (samples, columns), optional
        Model matrix of what must be kept, with its intercept. Default: the intercept alone.
    covariates : array, shape (samples,) or (samples, columns), optional
        Continuous variables whose linear effect is removed as well.

    Returns
    -------
    ndarray or DataFrame
        The same kind as `X`.

    Raises
    ------
    DataError
        If lengths or ids differ, a value or label is missing or masked (counted), `X` is empty, a label
        column has a single class, or a column is confounded with those before it (named).
    ParameterError
        If neither labels nor covariates are given.
    """
    values = _values(X)
    columns = _columns(labels, X, "labels")
    numbers = _numbers(covariates, X, "covariates")
    if not columns and numbers is None:
        raise ParameterError("nothing to remove: give labels, covariates or both")
    codes = {name: _codes(column, name) for name, column in columns.items()}
    kept = _numbers(design, X, "design")
    if len(codes) == 1 and kept is None and numbers is None:
        (code, classes), *_ = codes.values()
        result = _remove_classes(values, code, len(classes))
    else:
        result = _remove_columns(values, codes, kept, numbers)
    return pd.DataFrame(result, index=X.index, columns=X.columns) if isinstance(X, pd.DataFrame) else result


def remove_within(values: np.ndarray, labels: np.ndarray, within: np.ndarray | None) -> np.ndarray:
    """Return `values` with the linear signal of `labels` removed, separately in each level of `within`.

    Parameters
    ----------
    values : ndarray, shape (samples, features)
        Expression values.
    labels, within : arrays, shape (samples,)
        Classes, and the levels (a cohort) to remain inside of; without levels, all samples together.

    Raises
    ------
    DataError
        If a level has a single class: it is named.
    """
    if within is None:
        return remove_linear_signal(values, labels)
    result = np.empty_like(values, dtype=np.result_type(values, np.float32))
    for level in np.unique(within):
        inside = within == level
        if len(np.unique(labels[inside])) == 1:
            only = f"{str(level)!r} holds the single class {str(labels[inside][0])!r}"
            raise DataError(f"{only}: nothing to remove within it")
        result[inside] = remove_linear_signal(values[inside], labels[inside])
    return result


def _remove_classes(values: np.ndarray, code: np.ndarray, n_classes: int) -> np.ndarray:
    """Subtract from each sample its class mean minus the unweighted mean of class means (the closed form)."""
    sums = _class_sums(values, code, n_classes)
    _check_finite(sums, values)
    means = sums / np.bincount(code)[:, None]
    effect = means - means.mean(axis=0)  # classes x features
    if _is_transposed(values):
        return _subtract(values.T, lambda features: effect.T[features][:, code]).T
    return _subtract(values, lambda samples: effect[code[samples]])


def _class_sums(values: np.ndarray, code: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the sum of each class (classes x features) in float64, in one pass along the memory.

    Plain additions wait for the memory, not for the processor: a threaded matrix product of this shape is
    no faster on idle cores and many times slower on busy ones.
    """
    sums = np.zeros((n_classes, values.shape[1]))
    if not _is_transposed(values):
        for row, number in zip(values, code.tolist(), strict=True):
            total = sums[number]
            total += row
        return sums
    order = np.argsort(code, kind="stable")
    starts = np.searchsorted(code[order], np.arange(n_classes))
    step = max(1, _CACHE_VALUES // len(values))
    for start in range(0, values.shape[1], step):
        block = values.T[start : start + step][:, order]
        sums[:, start : start + step] = np.add.reduceat(block, starts, axis=1, dtype=np.float64).T
    return sums


def _remove_columns(
    values: np.ndarray, codes: dict[str, tuple], design: np.ndarray | None, covariates: np.ndarray | None
) -> np.ndarray:
    """Fit design, label contrasts and covariates by least squares; subtract the fit of the latter two."""
    kept = np.ones((len(values), 1)) if design is None else design
    names = ["intercept"] if design is None else [f"design column {i + 1}" for i in range(kept.shape[1])]
    removed = []
    for name, (code, classes) in codes.items():
        removed.append(_sum_contrasts(code, len(classes)))
        names += [f"{name} {str(level)!r}" for level in classes[:-1]]
    if covariates is not None:
        removed.append(covariates)
        names += [f"covariate {i + 1}" for i in range(covariates.shape[1])]
    matrix = np.hstack([kept, *removed])
    _check_estimable(matrix, names)
    orthogonal, upper = np.linalg.qr(matrix)
    columns, weights = matrix[:, kept.shape[1] :], np.linalg.solve(upper, orthogonal.T)[kept.shape[1] :]
    result = np.empty_like(values)
    step = max(1, _PRODUCT_VALUES // len(values))
    for some in (slice(start, start + step) for start in range(0, values.shape[1], step)):
        coefficients = weights @ values[:, some].astype(np.float64)
        _check_finite(coefficients, values)
        result[:, some] = values[:, some] - columns @ coefficients
    return result


def _sum_contrasts(code: np.ndarray, n_classes: int) -> np.ndarray:
    """Return R's ``contr.sum`` coding, shape (samples, classes - 1): the last class is -1 everywhere."""
    return np.vstack([np.eye(n_classes - 1), -np.ones(n_classes - 1)])[code]


def _check_estimable(matrix: np.ndarray, names: list[str]) -> None:
    """Raise if a column of the model matrix is a linear combination of those before it."""
    norms = np.linalg.norm(matrix, axis=0)
    scaled = matrix / np.where(norms > 0, norms, 1)
    if np.linalg.matrix_rank(scaled) == matrix.shape[1]:
        return
    ranks = [0] + [np.linalg.matrix_rank(scaled[:, : i + 1]) for i in range(matrix.shape[1])]
    confounded = [
        name for name, before, after in zip(names, ranks, ranks[1:], strict=False) if after == before
    ]
    raise DataError(
        f"confounded design: {', '.join(confounded)} cannot be told apart from the columns before "
        f"({matrix.shape[0]} samples, {matrix.shape[1]} columns, rank {ranks[-1]}). "
        "Leave out a label column, a design column or a covariate."
    )


def _check_finite(sums: np.ndarray, values: np.ndarray) -> None:
    """Raise, with the count, if values are missing; they poison the sums, so these tell first."""
    if not np.isfinite(sums).all():
        count = int((~np.isfinite(values)).sum())
        raise DataError(
            f"{count} of {values.size} values are NaN or infinite: drop or impute them before removing signal"
        )


def _is_transposed(values: np.ndarray) -> bool:
    """Tell whether the samples of `values` lie in columns of the memory, as in a transposed matrix."""
    return values.flags.f_contiguous and not values.flags.c_contiguous


def _subtract(values: np.ndarray, removed: Callable[[slice], np.ndarray]) -> np.ndarray:
    """Return `values` minus ``removed(rows)``, block by block of rows, in the dtype of `values`."""
    result = np.empty(values.shape, values.dtype)
    step = max(1, _CACHE_VALUES // values.shape[1])
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        np.subtract(values[rows], removed(rows), out=result[rows], casting="same_kind")
    return result


def _unmasked(given: Any, what: str) -> np.ndarray:
    """Return an array; raise when values of it are masked, since a plain array would show what is below."""
    if np.ma.is_masked(given):
        count = int(np.ma.getmaskarray(given).sum())
        raise DataError(f"{what}: {count} of {np.size(given)} values are masked: drop or impute them first")
    return np.asarray(given)


def _values(X: Any) -> np.ndarray:
    """Return the dense floating-point matrix of `X`, without a copy where that is possible."""
    ndim = getattr(X, "ndim", 0)
    if ndim != 2:
        raise DataError(f"X must be samples x features (of AnnData give .X), got {ndim} dimension(s)")
    matrix = X.toarray() if sparse.issparse(X) else _unmasked(X, "X")
    if 0 in matrix.shape:
        raise DataError(f"X is empty: {matrix.shape[0]} samples x {matrix.shape[1]} features")
    if matrix.dtype.kind not in "fiub":
        raise DataError(f"X holds {matrix.dtype}, not numbers: keep only the expression columns")
    return matrix if matrix.dtype in (np.float32, np.float64) else matrix.astype(np.float64)


def _columns(given: Any, X: Any, what: str) -> dict[str, np.ndarray]:
    """Return a vector or table as named columns, each with one entry per sample."""
    if given is None:
        return {}
    if isinstance(given, pd.DataFrame | pd.Series):
        if isinstance(X, pd.DataFrame):
            _check_order(given.index, X.index, what)
        if isinstance(given, pd.Series):
            given = given.to_frame(what if given.name is None else given.name)
        columns = {str(name): given[name].to_numpy() for name in given}
    else:
        array = _unmasked(given, what)
        if array.ndim not in (1, 2):
            raise DataError(f"{what} must be one entry per sample or samples x columns, got {array.shape}")
        columns = {f"{what} {i + 1}": column for i, column in enumerate(array.T)}
        columns = columns if array.ndim == 2 else {what: array}
    for name, column in columns.items():
        if len(column) != X.shape[0]:
            raise DataError(f"{name} has {len(column)} entries for {X.shape[0]} samples")
    return columns


def _check_order(index: pd.Index, names: pd.Index, what: str) -> None:
    """Refuse labels that carry other ids than these samples, or these in another order."""
    if index.equals(names) or len(index) != len(names):
        return  # the length is looked at for all kinds
    absent = names[~names.isin(index)]
    if len(absent):
        first, given_first = absent.tolist()[0], index.tolist()[0]
        raise DataError(
            f"{what} have no entry for {len(absent)} of {len(names)} samples, as {first!r} (their ids begin "
            f"with {given_first!r}): reindex them by sample id, or give .to_numpy() if the order is the same"
        )
    raise DataError(f"{what} are in another order than the samples: reindex them by sample id first")


def _numbers(given: Any, X: Any, what: str) -> np.ndarray | None:
    """Return `given` as a finite float64 matrix, shape (samples, columns), or None."""
    columns = _columns(given, X, what)
    if not columns:
        return None
    try:
        matrix = np.column_stack([np.asarray(column, dtype=np.float64) for column in columns.values()])
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} must be numbers ({error}): encode categories as labels instead") from error
    if not np.isfinite(matrix).all():
        raise DataError(f"{what}: {int((~np.isfinite(matrix)).sum())} values are NaN or infinite")
    return matrix


def _codes(column: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return integer codes and the sorted classes of one label column."""
    code, classes = pd.factorize(np.asarray(column), sort=True)
    if (code < 0).any():
        raise DataError(
            f"{name}: {int((code < 0).sum())} of {len(code)} samples have no label; drop them first"
        )
    if len(classes) < 2:
        raise DataError(
            f"{name}: the single class {str(classes[0])!r} has no linear signal to remove; give two or more"
        )
    return code, classes
