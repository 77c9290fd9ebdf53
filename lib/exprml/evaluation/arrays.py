"""What is scored, as arrays: values, labels and groups, whether given as AnnData and columns or as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from exprml.base.errors import DataError, UnknownNameError


def as_arrays(X: Any, y: Any, groups: Any = None) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Return the values, targets and groups as arrays; obs columns are looked up by name."""
    y, groups = obs_column(X, y, "y"), obs_column(X, groups, "groups")
    matrix = X.X if isinstance(X, AnnData) else X
    matrix = matrix.toarray() if sparse.issparse(matrix) else np.asarray(matrix)
    groups = np.arange(len(matrix)) if groups is None else groups
    for name, given in (("y", y), ("groups", groups)):
        if given is not None and len(given) != len(matrix):
            raise DataError(f"{name} has {len(given)} entries for {len(matrix)} samples")
    if y is not None and y.dtype.kind in "OU" and (y == "").any():
        raise DataError(
            f"{int((y == '').sum())} of {len(y)} samples have an empty label, which is no class: leave them "
            "out (exprml.data.preprocess.keep_classes)"
        )
    return matrix, y, groups


def obs_column(X: Any, given: Any, what: str) -> np.ndarray | None:
    """Return `given` as an array, or the obs column it names."""
    if not isinstance(given, str):
        return None if given is None else np.asarray(given)
    if not isinstance(X, AnnData) or given not in X.obs:
        raise UnknownNameError("obs column", given, X.obs.columns if isinstance(X, AnnData) else [], what)
    return np.asarray(X.obs[given])
