"""AnnData's own files: anndata reads them, scipy checks the parts of their sparse matrices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import anndata
import h5py
import numpy as np
from anndata import AnnData

from exprml.base.errors import DataError, FormatError, check_known
from exprml.data.formats.container import check_ids
from exprml.data.formats.guard import as_format_error, check_memory
from exprml.data.formats.hdf5 import is_text, memory_of, open_hdf5, walk
from exprml.data.formats.sniff import require_kind

_GROUPS = ("X", "layers", "obsm", "obsp", "uns", "varm", "varp")
_OF_NUMBERS = ("X", "layers", "obsp", "raw", "varp")


def read_h5ad(path: str | Path, *, layer: str = "") -> AnnData:
    """Read an ``.h5ad`` file: unique names, numeric X, missing values counted as in the other readers.

    ``uns["provenance"]`` of the file is kept; only ``missing`` and ``infinite`` are counted anew. A `layer`
    is read in place of X if it is named.

    Raises
    ------
    FormatError
        If X, a layer, ``raw`` or a pairwise matrix has not the shape that ``obs`` and ``var`` say; if the
        parts of a sparse matrix contradict each other (lengths, order, an index outside, an entry twice);
        if a column of ``obs`` or ``var`` has another length; if the file asks for more memory than the limit.
    """
    path = require_kind(path, "h5ad")
    with open_hdf5(path) as file:
        _check_tables(file, path)
    with as_format_error(path):
        adata = anndata.read_h5ad(path)
        raw = {} if adata.raw is None else {"X": adata.raw.X, "varm": adata.raw.varm}
        groups = {name: getattr(adata, name) for name in _GROUPS} | {"raw": raw}
        for name, part in _parts("", groups):
            _check_part(part, name, path)
    if adata.X is None or 0 in adata.shape:
        raise DataError(f"{path}: empty matrix, {adata.n_obs} samples x {adata.n_vars} genes")
    for kind, names in (("sample", adata.obs_names), ("gene", adata.var_names)):
        check_ids(list(names), kind, path, lambda i: f"position {i + 1}")
    if layer:
        check_known("layer", [layer], adata.layers, str(path))
        adata.X = adata.layers[layer]
    values = adata.X.data if hasattr(adata.X, "toarray") else np.asarray(adata.X)
    numbers = values.dtype.kind == "f"
    gaps, infinite = (int(test(values).sum()) if numbers else 0 for test in (np.isnan, np.isinf))
    provenance = adata.uns.setdefault("provenance", {"steps": [f"read {path.name}: h5ad"]})
    provenance |= {"missing": gaps, "infinite": infinite}
    return adata


def _check_tables(file: h5py.File, path: Path) -> None:
    """Raise when the file asks for too much, and over what anndata would take without a word."""
    items = dict(walk(file, path))
    needed = sum(memory_of(item) for item in items.values() if isinstance(item, h5py.Dataset))
    check_memory(path, needed, "its values")
    tables = {name: _check_table(items.get(name), name, path) for name in ("obs", "var")}
    if isinstance(items.get("raw/var"), h5py.Group):
        _check_table(items["raw/var"], "raw/var", path)
    X, expected = items.get("X"), tuple(tables.values())
    told = X.attrs.get("shape") if isinstance(X, h5py.Group) else getattr(X, "shape", None)
    shape = () if told is None else tuple(map(int, told))
    if shape[::-1] == expected != shape:
        raise FormatError(
            f"{path}: X has shape {shape}, obs and var say {expected}: it is turned, transpose it"
        )


def _check_table(table: Any, name: str, path: Path) -> int | None:
    """Return how many rows a table has, where that is plain; its columns must be listed, its index texts."""
    if not isinstance(table, h5py.Group):
        return None  # a table as old files have it
    index = table.get(str(table.attrs.get("_index", "_index")))
    if isinstance(index, h5py.Dataset) and not (is_text(index) or index.dtype.kind in "iu"):
        raise FormatError(f"{path}: the index of '/{name}' holds {index.dtype}, expected texts")
    columns = {column for column in table if not column.startswith("__") and table[column] != index}
    single = {column for column in columns if getattr(table[column], "shape", (1,)) in ((), None)}
    listed = {str(one) for one in np.atleast_1d(table.attrs.get("column-order", sorted(columns)))}
    if odd := sorted(single | (listed ^ columns)):
        raise FormatError(f"{path}: column {odd[0]!r} of '/{name}' is no list of values, or not listed there")
    return len(index) if isinstance(index, h5py.Dataset) and index.shape else None


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and the value of all that is no mapping."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _parts(f"{name}/{key}".lstrip("/"), one)
    else:
        yield name, value


def _check_part(part: Any, name: str, path: Path) -> None:
    """Raise when this should hold numbers and does not, or is a sparse matrix that contradicts itself.

    A wrong index would be followed out of memory, a wrong length read into another matrix.
    """
    if name.partition("/")[0] in _OF_NUMBERS and getattr(part, "dtype", np.dtype(float)).kind not in "fiub":
        raise DataError(f"{path}: {name} holds {part.dtype}, expected numbers")
    if not hasattr(part, "check_format"):
        return
    where = f"{path}: damaged sparse matrix {name!r}"
    if part.indices.dtype.kind not in "iu" or part.indptr[-1] != len(part.data):
        raise FormatError(f"{where}: its parts do not fit each other")
    try:
        part.check_format(full_check=True)
    except ValueError as error:
        raise FormatError(f"{where}: {error}") from error
    part.sort_indices()
    if not part.has_canonical_format:
        raise FormatError(f"{where}: a cell stands twice")
