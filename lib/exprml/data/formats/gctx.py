"""GCTX: the HDF5 format of the Connectivity Map, read by windows, read and written in blocks of samples.

Layout: ``/0/DATA/0/matrix`` with samples in rows and genes in columns (the transpose of GCT), sample metadata
under ``/0/META/COL``, gene metadata under ``/0/META/ROW``, one data set per field, ids in ``id``.
Enache et al. 2019, Bioinformatics 35:1427.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, FormatError, ParameterError
from exprml.base.files import atomic_path
from exprml.data.formats.container import (
    Wanted,
    check_ids,
    chosen_positions,
    make_adata,
    narrowed,
    require_filled,
)
from exprml.data.formats.guard import check_memory
from exprml.data.formats.hdf5 import is_text, memory_of, open_hdf5
from exprml.data.formats.metadata import NULL, texts_with_null, typed
from exprml.data.formats.sniff import require_kind

Positions = np.ndarray | None  # None: all
_MATRIX = "0/DATA/0/matrix"
_FIELDS = {"sample": "0/META/COL", "gene": "0/META/ROW"}
_GAP = 64  # wanted positions closer than this are read in one go
_BLOCK_CELLS = 1 << 20  # cells read together: 4 MB of float32


def read_gctx(path: str | Path, *, genes: Wanted = None, samples: Wanted = None) -> AnnData:
    """Read a GCTX file, or a window of it without loading the rest.

    Parameters
    ----------
    path : str or Path
    genes, samples : collection of str, optional
        Ids to keep, in that order.

    Returns
    -------
    AnnData, samples x genes
        float32. NaN are counted in ``uns["provenance"]["missing"]``. Metadata kept as texts get types as in
        GCT; texts that are not UTF-8 are read as Latin-1, which old files use for the micro sign.
    """
    path = Path(path)
    with _opened(path) as (file, ids, matrix):
        rows = chosen_positions(ids["sample"], samples, "sample", path)
        columns = chosen_positions(ids["gene"], genes, "gene", path)
        obs = _fields(file, "sample", ids["sample"], rows, path)
        var = _fields(file, "gene", ids["gene"], columns, path)
        values = _window(matrix, rows, columns, path)
    how = f"GCTX, {len(ids['gene'])} genes x {len(ids['sample'])} samples"
    return make_adata(values, obs, var, path=path, how=how)


def read_gctx_metadata(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the metadata of samples and of genes, (obs, var), without reading a value."""
    path = Path(path)
    with _opened(path) as (file, ids, _):
        return tuple(_fields(file, kind, ids[kind], None, path) for kind in ("sample", "gene"))


def gctx_blocks(
    path: str | Path, *, rows: Positions = None, columns: Positions = None, size: int = 1000
) -> Iterator[np.ndarray]:
    """Yield the values of a GCTX file, `size` samples after `size` samples; one block is in memory at a time.

    Parameters
    ----------
    path : str or Path
    rows, columns : array of int, optional
        Positions of the samples and of the genes to read, in the order wanted; all of them by default.
    size : int
        Samples of a block; the last may have fewer.

    Yields
    ------
    numpy.ndarray, (samples, genes)
        NaN where a value is missing.
    """
    path = Path(path)
    if size < 1:
        raise ParameterError(f"a block of {size} samples: at least 1 is needed")
    with _opened(path) as (_, _, matrix):
        rows = np.arange(matrix.shape[0]) if rows is None else rows
        for start in range(0, len(rows), size):
            yield _window(matrix, rows[start : start + size], columns, path)


def write_gctx(adata: AnnData, path: str | Path) -> None:
    """Write GCTX 1.0, atomically; the same data give the same bytes.

    Texts are UTF-8, missing texts ``-666``, truth values the texts ``True`` and ``False``.
    """
    require_filled(adata)
    values = adata.X.toarray() if hasattr(adata.X, "toarray") else np.asarray(adata.X)
    write_gctx_blocks([values], path, obs=adata.obs, var=adata.var, dtype=values.dtype)


def write_gctx_blocks(
    blocks: Iterable[np.ndarray],
    path: str | Path,
    *,
    obs: pd.DataFrame,
    var: pd.DataFrame,
    dtype: Any = np.float32,
    attributes: Mapping[str, str] | None = None,
) -> None:
    """Write GCTX 1.0 block by block, atomically: all blocks, or no file.

    Parameters
    ----------
    blocks : iterable of array, (samples of the block, genes)
        In the order of `obs`; each is written before the next is asked for.
    path : str or Path
    obs, var : DataFrame
        Metadata, indexed by sample id and gene id.
    dtype : numpy dtype
        As which values are kept.
    attributes : dict of str, optional
        Attributes of the file, beside its version.

    Raises
    ------
    DataError
        If the blocks have other samples or genes than the metadata.
    """
    shape = (len(obs), len(var))
    with atomic_path(path) as part, h5py.File(part, "w") as file:
        file.attrs["version"] = np.bytes_("GCTX1.0")
        for name, text in (attributes or {}).items():
            file.attrs[name] = text
        chunk = (max(1, min(shape[0], _BLOCK_CELLS // 8 // shape[1])), shape[1])
        matrix = file.create_dataset(_MATRIX, shape, dtype, chunks=chunk)
        stop = 0
        for values in blocks:
            start, stop = stop, stop + len(values)
            if stop > shape[0] or values.shape[1:] != shape[1:]:
                raise DataError(f"a block of shape {values.shape} at sample {start}: expected {shape} in all")
            matrix[start:stop] = values
        if stop != shape[0]:
            raise DataError(f"{stop} samples written, but the metadata have {shape[0]}")
        _write_fields(file, "sample", obs, list(obs.index.astype(str)))
        _write_fields(file, "gene", var, list(var.index.astype(str)))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[h5py.File, dict[str, list[str]], h5py.Dataset]]:
    """Open a file; give it, its ids by kind, and the matrix they fit."""
    with open_hdf5(require_kind(path, "gctx")) as file:
        ids = {kind: _ids(file, kind, path) for kind in _FIELDS}
        yield file, ids, _checked_matrix(file, ids, path)


def _ids(file: h5py.File, kind: str, path: Path) -> list[str]:
    name = f"{_FIELDS[kind]}/id"
    stored = file.get(name)
    if stored is None:
        raise FormatError(f"{path}: expected the {kind} ids in '/{name}', found none; not a whole GCTX file")
    _require_column(stored, None, f"{kind} ids", path)
    if not (is_text(stored) or stored.dtype.kind in "iu"):
        raise FormatError(f"{path}: '/{name}' holds {stored.dtype}, expected {kind} ids as texts")
    check_memory(path, memory_of(stored), f"{len(stored):,} {kind} ids")
    ids = _texts(stored[:])
    check_ids(ids, kind, path, lambda i: f"/{name}[{i}]")
    return ids


def _require_column(stored: h5py.Group | h5py.Dataset, length: int | None, what: str, path: Path) -> None:
    """Raise when this is no data set of one dimension, and as long as told."""
    shape = stored.shape if isinstance(stored, h5py.Dataset) else "a group"
    if not isinstance(shape, tuple) or len(shape) != 1 or length not in (None, shape[0]):
        wanted = "one value" if length is None else f"one value for {length}"
        raise FormatError(
            f"{path}: '{stored.name}' has {shape}, expected {wanted} {what}; write the file again"
        )


def _checked_matrix(file: h5py.File, ids: dict[str, list[str]], path: Path) -> h5py.Dataset:
    matrix = file.get(_MATRIX)
    if not isinstance(matrix, h5py.Dataset):
        raise FormatError(f"{path}: expected the data set '/{_MATRIX}', found none; not a whole GCTX file")
    expected = (len(ids["sample"]), len(ids["gene"]))
    if matrix.shape != expected:
        turned = "; it is stored turned round: transpose it" if matrix.shape == expected[::-1] else ""
        raise FormatError(
            f"{path}: '/{_MATRIX}' has shape {matrix.shape}, expected samples x genes {expected} from the "
            f"ids{turned or '; the file contradicts itself: fetch it again'}"
        )
    if matrix.dtype.kind not in "fiu":
        raise DataError(f"{path}: '/{_MATRIX}' holds {matrix.dtype}, expected numbers")
    return matrix


def _texts(values: np.ndarray) -> list[str]:
    if values.dtype.kind not in "SO":
        return [str(one) for one in values]
    raw = [one if isinstance(one, bytes) else str(one).encode() for one in values]
    try:
        return [one.decode() for one in raw]
    except UnicodeDecodeError:
        return [one.decode("latin-1") for one in raw]


def _fields(file: h5py.File, kind: str, ids: list[str], at: np.ndarray | None, path: Path) -> pd.DataFrame:
    group, columns = file[_FIELDS[kind]], {}
    for name in group:
        if name == "id":
            continue
        _require_column(group[name], len(ids), f"{kind}s", path)
        stored = group[name]
        if not (is_text(stored) or stored.dtype.kind in "iufb"):
            raise FormatError(f"{path}: '{stored.name}' holds {stored.dtype}, expected texts or numbers")
        check_memory(path, memory_of(stored), f"the values of '{stored.name}'")
        values = stored[:] if at is None else stored[: at.max() + 1][at]
        columns[name] = typed(_texts(values)) if values.dtype.kind in "SO" else _without_null(values)
    index = ids if at is None else [ids[position] for position in at]
    return pd.DataFrame(columns, index=pd.Index(index, dtype=object))


def _without_null(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "fi" or not (null := values == int(NULL)).any():
        return values
    return np.where(null, np.nan, values)


def _window(matrix: h5py.Dataset, rows: Positions, columns: Positions, path: Path) -> np.ndarray:
    asked = zip(matrix.shape, (rows, columns), strict=True)
    rows, columns = (np.arange(n) if at is None else at for n, at in asked)
    # what is asked for, and a chunk that is unpacked whole
    needed = 4 * len(rows) * len(columns) + math.prod(matrix.chunks or (0,)) * matrix.dtype.itemsize
    check_memory(path, needed, f"{len(rows):,} samples x {len(columns):,} genes")
    result, place = np.empty((len(rows), len(columns)), np.float32), lambda at: f"{path}: '/{_MATRIX}'"
    for left, right, into_columns in _spans(columns, matrix.shape[1]):
        for top, bottom, into_rows in _spans(rows, _rows_at_once(matrix, right - left)):
            inside = _at(rows[into_rows] - top, columns[into_columns] - left)
            result[_at(into_rows, into_columns)] = narrowed(matrix[top:bottom, left:right][inside], place)
    return result


def _rows_at_once(matrix: h5py.Dataset, width: int) -> int:
    """Return how many rows are read in one go: whole chunks where they are not huge, to unpack each once."""
    chunk, whole = (matrix.chunks or (1,))[0], _BLOCK_CELLS // width
    return chunk * max(1, whole // chunk) if chunk * width <= 16 * _BLOCK_CELLS else max(1, whole)


def _at(rows: np.ndarray, columns: np.ndarray) -> tuple:
    """Return an index of both; a slice where positions follow each other, which costs no looking up."""
    ways = [slice(one[0], one[-1] + 1) if (np.diff(one) == 1).all() else one for one in (rows, columns)]
    return tuple(ways) if any(isinstance(one, slice) for one in ways) else np.ix_(rows, columns)


def _spans(positions: np.ndarray, limit: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (start, stop, places in the result) of stretches that hold the positions.

    None crosses a multiple of `limit`.
    """
    order = np.argsort(positions, kind="stable")
    ends = (np.diff(positions[order]) > _GAP) | (np.diff(positions[order] // limit) > 0)
    for places in filter(len, np.split(order, np.flatnonzero(ends) + 1)):
        yield int(positions[places[0]]), int(positions[places[-1]]) + 1, places


def _write_fields(file: h5py.File, kind: str, frame: pd.DataFrame, ids: list[str]) -> None:
    check_ids(ids, kind, Path("AnnData"), lambda i: f"position {i + 1}")
    group = file.create_group(_FIELDS[kind])
    group.create_dataset("id", data=_as_bytes(ids))
    for name in frame:
        if name == "id" and list(frame[name]) == ids:
            continue
        if "/" in str(name) or name == "id":
            raise DataError(f"{kind} field {name!r} cannot be a name in GCTX (no '/', not 'id'); rename it")
        group.create_dataset(str(name), data=_stored(frame[name]))


def _stored(column: pd.Series) -> np.ndarray:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return column.to_numpy()
    return _as_bytes(texts_with_null(column))


def _as_bytes(texts: list[str]) -> np.ndarray:
    raw = [text.encode() for text in texts]
    return np.array(raw, dtype=f"S{max(1, *map(len, raw))}")
