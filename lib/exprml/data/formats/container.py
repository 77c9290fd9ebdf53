"""From a matrix and its names to AnnData, samples x genes, with everything checked once for all readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, ParameterError, UnknownNameError, check_known

Wanted = Collection[str] | None  # ids to keep, in this order
DUPLICATES = ("error", "sum", "mean", "first")
_BLOCK = 1024  # samples looked at together, so that a check never doubles the memory


def make_adata(
    matrix: np.ndarray,
    obs: pd.DataFrame,
    var: pd.DataFrame,
    *,
    path: Path,
    how: str,
    duplicates: str = "error",
) -> AnnData:
    """Wrap a samples x genes matrix with its metadata; count the missing and infinite values.

    Parameters
    ----------
    matrix : numpy.ndarray, shape (samples, genes)
    obs, var : pandas.DataFrame
        Metadata, indexed by sample id and gene id.
    path : pathlib.Path
        The file, for messages and provenance.
    how : str
        What was read, for ``uns["provenance"]["steps"]``.
    duplicates : {"error", "sum", "mean", "first"}
        What becomes of genes with one id; with "error" the reader has looked already.
    """
    check_known("duplicates", [duplicates], DUPLICATES)
    if duplicates != "error" and not var.index.is_unique:
        n_before = len(var)
        matrix, var = _merged(matrix, var, duplicates)
        how += f"; {n_before - len(var)} columns of genes that stood twice: {duplicates}"
    if 0 in matrix.shape:
        raise DataError(f"{path}: empty matrix, {matrix.shape[0]} samples x {matrix.shape[1]} genes")
    gaps, infinite = _count(matrix, np.isnan), _count(matrix, np.isinf)
    adata = AnnData(X=matrix, obs=obs, var=var)
    steps = [f"read {path.name}: {how}"]
    adata.uns["provenance"] = {"steps": steps, "missing": gaps, "infinite": infinite}
    return adata


def require_filled(adata: AnnData) -> None:
    """Raise when there is no matrix to write."""
    if adata.X is None or 0 in adata.shape:
        raise DataError(f"empty matrix, {adata.n_obs} samples x {adata.n_vars} genes: nothing to write")


def check_ids(
    ids: Sequence[str], kind: str, path: Path, place: Callable[[int], str], *, duplicates: str = "error"
) -> None:
    """Raise when an id is blank or stands twice; `place` tells where the i-th id stands in the file.

    With other `duplicates` than "error" a gene may stand twice, nothing else.
    """
    seen: dict[str, int] = {}
    for position, name in enumerate(ids):
        if not name.strip():
            raise DataError(f"{path}, {place(position)}: expected a {kind} id, found {name!r}; name it")
        if name in seen and (kind != "gene" or duplicates == "error"):
            advice = ", or say --duplicates sum, mean or first" if kind == "gene" else ""
            raise DataError(
                f"{path}: duplicate {kind} id {name!r} at {place(seen[name])} and {place(position)}; "
                f"ids must be unique: rename or remove one{advice}"
            )
        seen[name] = position


def chosen_positions(ids: Sequence[str], wanted: Wanted, kind: str, path: Path) -> np.ndarray | None:
    """Return the positions of the wanted ids, in the order asked for; None when all are wanted.

    Raises
    ------
    ParameterError
        If `wanted` is a single text, empty, or names an id twice.
    UnknownNameError
        If the file has no such id.
    """
    if wanted is None:
        return None
    if isinstance(wanted, str) or not len(wanted):
        raise ParameterError(f"{kind}s={wanted!r}: expected a list of ids")
    names = pd.Index(list(wanted), dtype=object)
    if not names.is_unique:
        twice = names[names.duplicated()][0]
        raise ParameterError(f"{kind}s: {twice!r} is asked for twice; name each {kind} once")
    positions = pd.Index(ids, dtype=object).get_indexer(names)
    if (positions < 0).any():
        raise UnknownNameError(kind, names[positions < 0][0], ids, where=str(path))
    return positions


def narrowed(values: np.ndarray, place: Callable[[int], str]) -> np.ndarray:
    """Return `values` as float32; a finite number too large for it is an error, never infinity.

    `place` tells where a value stands, from its position in the flattened values.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # R's NA is a signalling NaN
        result = values.astype(np.float32, copy=False)
    if result.dtype.itemsize < values.dtype.itemsize:
        lost = np.flatnonzero(np.isinf(result) & np.isfinite(values))
        if lost.size:
            found = f"{values.flat[lost[0]]:g} does not fit float32, which ends at 3.4e38"
            raise DataError(f"{place(int(lost[0]))}: {found}; correct the value")
    return result


def _count(matrix: np.ndarray, test: Callable[[np.ndarray], np.ndarray]) -> int:
    starts = range(0, len(matrix), _BLOCK)
    return int(sum(np.count_nonzero(test(matrix[start : start + _BLOCK])) for start in starts))


def _merged(matrix: np.ndarray, var: pd.DataFrame, how: str) -> tuple[np.ndarray, pd.DataFrame]:
    """Return genes with one id as one, at the place of the first."""
    codes, _ = pd.factorize(var.index)
    first = np.flatnonzero(~var.index.duplicated())
    result = matrix[:, first]
    for code in np.unique(codes[var.index.duplicated()]) if how != "first" else []:
        together = matrix[:, codes == code]
        result[:, code] = together.sum(axis=1) if how == "sum" else together.mean(axis=1)
    return result, var.iloc[first]
