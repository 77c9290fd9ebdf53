"""AnnData's own files, whose structure is checked before anndata reads them."""

from __future__ import annotations

from pathlib import Path

import anndata
import h5py
import numpy as np
from anndata import AnnData

from exprml.base.errors import DataError, FormatError, check_known
from exprml.data.formats.container import check_ids
from exprml.data.formats.guard import as_format_error, check_memory
from exprml.data.formats.hdf5 import is_text, memory_of, open_hdf5, walk
from exprml.data.formats.sniff import require_kind

_AXES = {"layers": ("obs", "var"), "obsp": ("obs", "obs"), "varp": ("var", "var")}
_ONE_AXIS = {"obsm": "obs", "varm": "var"}
_ENTRIES = 1 << 22  # of a sparse matrix looked at together
Item = h5py.Group | h5py.Dataset


def read_h5ad(path: str | Path, *, layer: str = "", missing: str = "keep") -> AnnData:
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
    check_known("missing", [missing], ("keep", "error"))
    path = require_kind(path, "h5ad")
    with open_hdf5(path) as file:
        _check_structure(file, path)
    with as_format_error(path):
        adata = anndata.read_h5ad(path)
    for kind, names in (("sample", adata.obs_names), ("gene", adata.var_names)):
        check_ids(list(names), kind, path, lambda i: f"position {i + 1}")
    if layer:
        check_known("layer", [layer], adata.layers, str(path))
        adata.X = adata.layers[layer]
    values = adata.X.data if hasattr(adata.X, "toarray") else np.asarray(adata.X)
    numbers = values.dtype.kind == "f"
    gaps, infinite = (int(test(values).sum()) if numbers else 0 for test in (np.isnan, np.isinf))
    if gaps and missing == "error":
        raise DataError(f"{path}: {gaps} missing values in X; pass missing='keep' and fill or drop them")
    provenance = adata.uns.setdefault("provenance", {"steps": [f"read {path.name}: h5ad"]})
    provenance |= {"missing": gaps, "infinite": infinite}
    return adata


def _check_structure(file: h5py.File, path: Path) -> None:
    """Raise when the parts of the file contradict each other, before anything of them is used."""
    items = dict(walk(file, path))
    needed = sum(memory_of(item) for item in items.values() if isinstance(item, h5py.Dataset))
    check_memory(path, needed, "its values")
    sizes = {axis: _check_frame(items, axis, path) for axis in ("obs", "var")}
    if "X" not in items or getattr(items["X"], "shape", 0) is None or 0 in sizes.values():
        raise DataError(f"{path}: empty matrix, {sizes['obs']} samples x {sizes['var']} genes")
    _check_matrix(items["X"], "X", (sizes["obs"], sizes["var"]), path)
    for raw in ("raw/", "raw."):  # the latter in old files
        if f"{raw}X" in items:
            genes = _check_frame(items, f"{raw}var", path)
            _check_matrix(items[f"{raw}X"], f"{raw}X", (sizes["obs"], genes), path)
    for name, item in items.items():
        folder, _, rest = name.partition("/")
        if folder in _AXES and rest and "/" not in rest:
            _check_matrix(item, name, tuple(sizes[axis] for axis in _AXES[folder]), path)
        elif folder in _ONE_AXIS and rest and "/" not in rest:
            _check_rows(item, name, sizes[_ONE_AXIS[folder]], path)
        elif _is_sparse(item) and name not in ("X", "raw/X", "raw.X"):
            _check_sparse(item, name, path)


def _check_frame(items: dict[str, Item], name: str, path: Path) -> int:
    """Return how many rows a table has: all its columns must agree, and its index must hold texts."""
    frame = items.get(name)
    if isinstance(frame, h5py.Dataset) and frame.dtype.names and len(frame.shape) == 1:
        return frame.shape[0]  # a table as old files have it
    index = items.get(f"{name}/{_word(frame, '_index', '_index')}") if isinstance(frame, h5py.Group) else None
    if index is None:
        raise FormatError(f"{path}: damaged or no h5ad file: '/{name}' is no table with an index")
    length = _length(index, name, path)
    names = index.get("categories", index.get("values")) if isinstance(index, h5py.Group) else index
    if not (is_text(names) or names.dtype.kind in "iu"):
        raise FormatError(f"{path}: the index of '/{name}' holds {names.dtype}, expected texts")
    for column in frame:
        if not column.startswith("__") and (found := _length(frame[column], name, path)) != length:
            raise FormatError(
                f"{path}: '/{name}/{column}' has {found} values, the index of '/{name}' has {length}"
            )
    listed = {str(one) for one in np.atleast_1d(frame.attrs.get("column-order", []))}
    held = {column for column in frame if not column.startswith("__") and frame[column] != index}
    if listed != held and "column-order" in frame.attrs:
        odd = sorted(listed ^ held)[0]
        raise FormatError(f"{path}: '/{name}': column {odd!r} is not both listed and there; write it again")
    return length


def _length(item: Item, table: str, path: Path) -> int:
    """Return the length of a column: a data set, or codes and categories, or values with a mask."""
    parts = [item]
    if isinstance(item, h5py.Group):
        names = ("codes",) if "codes" in item else ("values", "mask")
        parts = [item.get(name) for name in names]
    if not all(isinstance(part, h5py.Dataset) and len(part.shape or ()) == 1 for part in parts):
        raise FormatError(f"{path}: '{item.name}' is no column of '/{table}'; write the file again")
    if len({part.shape for part in parts}) > 1:
        raise FormatError(
            f"{path}: '{item.name}' has {parts[0].shape[0]} values, a mask of {parts[1].shape[0]}"
        )
    return parts[0].shape[0]


def _check_rows(item: Item, name: str, rows: int, path: Path) -> None:
    """Raise when the first dimension of an array is not as long as its axis."""
    if _is_sparse(item):
        found = _check_sparse(item, name, path)[0]
    elif isinstance(item, h5py.Dataset):
        found = (item.shape or (0,))[0]
    else:
        return  # tables and ragged arrays: anndata compares them
    if found != rows:
        raise FormatError(f"{path}: '/{name}' has {found} rows, expected {rows}")


def _check_matrix(item: Item, name: str, expected: tuple[int, ...], path: Path) -> None:
    """Raise when this is no numeric matrix of the expected shape."""
    if _is_sparse(item):
        shape = _check_sparse(item, name, path)
    elif isinstance(item, h5py.Dataset):
        shape = item.shape
        _check_numbers(item, name, path)
    else:
        raise FormatError(f"{path}: {name} is a group, but no sparse matrix; write the file again")
    if shape != expected:
        turned = "; it is stored turned round: transpose it" if shape == expected[::-1] else ""
        raise FormatError(f"{path}: {name} has shape {shape}, obs and var say {expected}{turned}")


def _check_numbers(item: h5py.Dataset, name: str, path: Path) -> None:
    if item.dtype.kind not in "fiub":
        raise DataError(f"{path}: {name} holds {item.dtype}, expected numbers")


def _is_sparse(item: Item) -> bool:
    return isinstance(item, h5py.Group) and _form(item) in ("csr", "csc")


def _form(group: h5py.Group) -> str:
    return _word(group, "encoding-type", _word(group, "h5sparse_format", "")).removesuffix("_matrix")


def _word(group: h5py.Group, name: str, default: str) -> str:
    """Return an attribute that should be a text; the default where it is none."""
    value = group.attrs.get(name, default)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _check_sparse(group: h5py.Group, name: str, path: Path) -> tuple[int, ...]:
    """Return the shape of a sparse matrix; raise when its parts contradict each other.

    A wrong index would be followed out of memory, a wrong length read into another matrix.
    """
    where = f"{path}: damaged sparse matrix '/{name}'"
    told = group.attrs.get("shape", group.attrs.get("h5sparse_shape", ()))
    shape = tuple(map(int, np.ravel(told)))
    parts = [group.get(part) for part in ("data", "indices", "indptr")]
    if len(shape) != 2 or min(shape) < 0:
        raise FormatError(f"{where}: its shape is {shape}, expected two sizes")
    if not all(isinstance(part, h5py.Dataset) and len(part.shape or ()) == 1 for part in parts):
        raise FormatError(f"{where}: expected the data sets data, indices and indptr, each of one dimension")
    data, indices, indptr = parts
    _check_numbers(data, f"{name}/data", path)
    if indices.dtype.kind not in "iu" or indptr.dtype.kind not in "iu":
        raise FormatError(
            f"{where}: indices hold {indices.dtype}, indptr {indptr.dtype}, expected whole numbers"
        )
    if len(data) != len(indices):
        raise FormatError(f"{where}: {len(data)} values in data, but {len(indices)} indices")
    major, minor = shape if _form(group) == "csr" else shape[::-1]
    if len(indptr) != major + 1:
        raise FormatError(f"{where}: indptr has {len(indptr)} entries, shape {shape} needs {major + 1}")
    starts = indptr[:].astype(np.int64)
    if starts[0] != 0 or starts[-1] != len(data) or (np.diff(starts) < 0).any():
        raise FormatError(f"{where}: indptr does not rise from 0 to the {len(data)} values")
    _check_indices(indices, starts, minor, where)
    return shape


def _check_indices(indices: h5py.Dataset, starts: np.ndarray, minor: int, where: str) -> None:
    """Raise for an index outside the matrix, and for a cell that stands twice, some rows at a time."""
    first, n_rows = 0, len(starts) - 1
    while first < n_rows:
        last = max(first + 1, int(np.searchsorted(starts, starts[first] + _ENTRIES, side="right")) - 1)
        found = indices[starts[first] : starts[last]].astype(np.int64)
        bad = np.flatnonzero((found < 0) | (found >= minor))
        if bad.size:
            at = int(starts[first] + bad[0])
            raise FormatError(f"{where}: indices[{at}] is {found[bad[0]]}, outside 0 to {minor - 1}")
        rows = np.repeat(np.arange(last - first), np.diff(starts[first : last + 1]))
        cells = rows * minor + found
        if not (np.diff(cells) > 0).all():  # unsorted rows are allowed
            cells.sort()
            twice = np.flatnonzero(np.diff(cells) == 0)
            if twice.size:
                row, column = divmod(int(cells[twice[0]]), minor)
                raise FormatError(f"{where}: cell ({first + row}, {column}) of its rows stands twice")
        first = last
