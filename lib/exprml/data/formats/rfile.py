"""R data files (.rda, .RData, .rds), read by the `rdata` package, and data frames converted to text.

Nothing in them is run.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, ExprmlError, FormatError, UnknownNameError, check_known
from exprml.data.formats.container import check_ids, make_adata, narrowed
from exprml.data.formats.guard import guarded, memory_limit, unfolded_limit
from exprml.data.formats.sniff import file_kind, opened, unpacked

if TYPE_CHECKING:
    from xarray import DataArray

_DIGITS = 15  # of a double, as R writes it
_TIMES_CONTENT = 4  # of the unpacked bytes is the memory that R objects take
_ROWS_COLUMNS = {"rows": ("sample", "gene"), "columns": ("gene", "sample")}


@guarded
def read_rdata(path: str | Path, encoding: str | None = None) -> dict[str, Any]:
    """Read an R file into named Python objects.

    Parameters
    ----------
    path : str or Path
    encoding : str, optional
        Of all its strings, whatever the file says of them: some say ASCII and are not.

    Returns
    -------
    dict
        Matrices with dimnames as xarray.DataArray, data frames as pandas.DataFrame, factors as
        pandas.Categorical, lists as dict, S4 objects with their slots as attributes. An ``.rds`` file holds
        one object: its key is the file's stem.

    Raises
    ------
    FormatError
        If the file is damaged, no R file, or holds what has no meaning here (functions, connections).
    """
    path = Path(path)
    kind = file_kind(path)
    if kind not in ("rda", "rds"):
        raise FormatError(f"{path}: expected an R data file, found {kind} content; use read()")
    found = _parsed(path, kind, encoding)
    return _plain_names(found if kind == "rda" else {path.stem: found})


def _parsed(path: Path, kind: str, encoding: str | None) -> Any:
    import rdata  # half a second, for readers of R files only

    expand = {
        name: partial(_unfolded, path=path, constructor=constructor)
        for name, constructor in rdata.parser.DEFAULT_ALTREP_MAP.items()
    }
    try:
        content = unpacked(path, min(unfolded_limit(path), memory_limit() // _TIMES_CONTENT))
        parsed = rdata.parser.parse_data(content, altrep_constructor_dict=expand, extension=f".{kind}")
        _refuse_doubled_names(parsed.object, path)
        forced = {"default_encoding": encoding, "force_default_encoding": bool(encoding)}
        with warnings.catch_warnings(action="ignore"):  # of unknown classes; those are refused by name below
            return rdata.conversion.convert(parsed, **forced)
    except ExprmlError:
        raise
    except Exception as error:  # the parser raises whatever the bytes lead it to
        raise FormatError(
            f"{path}: damaged, or holds R objects that cannot be read ({type(error).__name__}: {error}); "
            "save only matrices, data frames, vectors and lists of them with R's save() or saveRDS()"
        ) from error


def _refuse_doubled_names(whole: Any, path: Path) -> None:
    """Raise when a list or data frame names two parts alike: rdata would keep the last of them alone."""
    waiting = [whole]
    while waiting:
        one = waiting.pop()
        names = [name for name in _names(one) if name] if one.info.type.name == "VEC" else []
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1).decode("utf-8", "replace")
            raise DataError(f"{path}: two parts of an R list or data frame are named {twice!r}; rename one")
        inside = one.value if isinstance(one.value, list | tuple) else [one.value]
        waiting += [part for part in (*inside, one.attributes) if hasattr(part, "info")]


def _names(one: Any) -> list[bytes]:
    """Return the names of an R list's parts, as they stand in the file."""
    attribute = one.attributes
    while attribute is not None and attribute.info.type.name == "LIST":
        tag = attribute.tag.value or attribute.tag.referenced_object.value
        if tag.value == b"names" and isinstance(attribute.value[0].value, list):
            return [text.value or b"" for text in attribute.value[0].value]
        attribute = attribute.value[1]
    return []


def _unfolded(state: Any, *, path: Path, constructor: Callable) -> Any:
    """Write out a vector that R keeps folded; 1:1e12 is three numbers in the file."""
    if constructor.__name__.startswith("compact"):
        length = float(state.value[0])
        if not 0 <= length <= unfolded_limit(path) / 8:
            raise FormatError(f"{path}: holds a folded sequence of {length:,.0f} numbers; write it out")
    return constructor(state)


def rdata_object(objects: dict[str, Any], name: str, *, path: str | Path = "R data") -> Any:
    """Return one object by name; ``list$element`` reaches into lists, as in R.

    Raises
    ------
    UnknownNameError
        If there is no such object; the message lists those there are.
    """
    found: Any = objects
    for position, part in enumerate(name.split("$")):
        known = [str(key) for key in found] if isinstance(found, dict) else []
        if part not in known:
            where = "$".join([str(path), *name.split("$")[:position]])
            raise UnknownNameError("R object", part, known, where=where)
        found = found[part]
    return found


def rdata_matrix(
    objects: dict[str, Any],
    name: str | None = None,
    *,
    samples_in: str,
    metadata_columns: Sequence[str] | None = None,
    duplicates: str = "error",
    path: str | Path = "R data",
) -> AnnData:
    """Turn a matrix, data frame or GCT (S4 class of cmapR) of :func:`read_rdata` into AnnData.

    Parameters
    ----------
    objects : dict
        From :func:`read_rdata`.
    name : str, optional
        Which object (``list$element`` for one in a list); may be left out when there is only one.
    samples_in : {"rows", "columns"}
        Where the samples stand in R. Never guessed.
    metadata_columns : sequence of str, optional
        Columns of a data frame that are no numbers of the matrix: into `obs` when samples stand in rows,
        else into `var`.
    duplicates
        As in :func:`exprml.data.formats.gct.read_gct`.
    path : str or Path
        The file, for messages and provenance.

    Raises
    ------
    DataError
        If the object is no numeric matrix or data frame, or has no row or column names.
    """
    check_known("samples_in", [samples_in], _ROWS_COLUMNS)
    path = Path(path)
    if name is None and len(objects) != 1:
        listed = ", ".join(objects)
        raise DataError(f"{path}: holds {len(objects)} objects ({listed}); choose one by --r-object")
    name = next(iter(objects)) if name is None else name
    values, rows, columns = _frames(rdata_object(objects, name, path=path), name, metadata_columns, path)
    kinds = _ROWS_COLUMNS[samples_in]
    for kind, frame, direction in zip(kinds, (rows, columns), ("row", "column"), strict=True):
        place = partial("R object {!r}, {} {}".format, name, direction)
        check_ids(list(frame.index), kind, path, lambda i, at=place: at(i + 1), duplicates=duplicates)
    matrix = _numbers(values, columns.index, f"{path}: R object {name!r}")
    how = f"R object {name}, samples in {samples_in}"
    if samples_in == "columns":
        matrix, rows, columns = matrix.T, columns, rows
    matrix = np.ascontiguousarray(matrix)
    return make_adata(matrix, rows, columns, path=path, how=how, duplicates=duplicates)


@guarded
def read_rdata_matrix(path: str | Path, r_object: str | None = None, **options: Any) -> AnnData:
    """Read one matrix of an R file: :func:`read_rdata`, then :func:`rdata_matrix` with its options."""
    return rdata_matrix(read_rdata(path), r_object, path=path, **options)


def _plain_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain_names(one) for name, one in value.items()}
    return value


def _frames(
    found: Any, name: str, metadata_columns: Sequence[str] | None, path: Path
) -> tuple[pd.DataFrame | np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Return values, and the metadata of rows and columns indexed by their names."""
    if hasattr(found, "coords") and found.ndim == 2:  # an xarray.DataArray
        rows, columns = (_dimension_names(found, axis, name, path) for axis in (0, 1))
        return found.values, pd.DataFrame(index=rows), pd.DataFrame(index=columns)
    if isinstance(found, pd.DataFrame):
        return _split_frame(found, name, list(metadata_columns or []), path)
    if {"mat", "rid", "cid", "rdesc", "cdesc"} <= set(getattr(found, "__dict__", ())):
        return _gct_slots(found, name, path)
    inside = f" holding {', '.join(map(str, found))}" if isinstance(found, dict) else ""
    raise DataError(
        f"{path}: R object {name!r} is {_kind_in_r(found)}{inside}, expected a matrix with row and "
        "column names or a data frame; choose another by --r-object (list$element for one in a list)"
    )


def _gct_slots(found: Any, name: str, path: Path) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Return values, and the metadata of rows and columns, of cmapR's S4 class GCT: its ids are slots."""
    values = np.asarray(found.mat)
    frames = []
    for length, ids, about in zip(
        values.shape, (found.rid, found.cid), (found.rdesc, found.cdesc), strict=True
    ):
        if not len(ids) == len(about) == length:
            lengths = f"{length} in the matrix, {len(ids)} ids, {len(about)} rows of metadata"
            raise DataError(f"{path}: R object {name!r} of class GCT does not fit together: {lengths}")
        frames.append(about.set_axis(pd.Index([str(one) for one in ids], dtype=object)))
    return values, *frames


def _kind_in_r(found: Any) -> str:
    """Return what an object is, as R's users call it."""
    if isinstance(found, dict):
        return "a list"
    if isinstance(found, np.ndarray | str | int | float | pd.Categorical | list):
        return "a vector, or a matrix without row and column names"
    parts = {name.lower() for name in vars(found)} if hasattr(found, "__dict__") else set()
    if {"assaydata", "phenodata"} & parts:
        return "an ExpressionSet (save exprs(x), and pData(x) as a table of labels)"
    if {"assays", "coldata"} & parts:
        return "a SummarizedExperiment (save assay(x), and colData(x) as a table of labels)"
    return "an object of a class that is not read here"


def _dimension_names(found: DataArray, axis: int, name: str, path: Path) -> pd.Index:
    dimension = found.dims[axis]
    if dimension not in found.coords:
        which = f"R matrix {name!r} has no {('row', 'column')[axis]} names"
        raise DataError(f"{path}: {which}; set dimnames() before saving it")
    return pd.Index([str(one) for one in found.coords[dimension].values], dtype=object)


def _split_frame(
    found: pd.DataFrame, name: str, metadata: list[str], path: Path
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    if isinstance(found.index, pd.RangeIndex):
        first = found.iloc[:, 0]  # the ids of a tibble, which has no row names
        if pd.api.types.is_numeric_dtype(first) or not first.is_unique or first.isna().any():
            raise DataError(f"{path}: R data frame {name!r} has no row names; set row.names before saving it")
        found = found.set_index(found.columns[0])
    check_known("metadata column", metadata, found.columns, f"{path}: {name}")
    found = found.set_axis(pd.Index([str(one) for one in found.index], dtype=object))
    numbers = found.drop(columns=metadata)
    columns = pd.DataFrame(index=pd.Index([str(one) for one in numbers.columns], dtype=object))
    return numbers, found[metadata], columns


def _numbers(values: pd.DataFrame | np.ndarray, columns: pd.Index, where: str) -> np.ndarray:
    if isinstance(values, np.ndarray):
        if values.dtype.kind not in "fiub":
            raise DataError(f"{where} holds {values.dtype}, expected numbers")
        return narrowed(values, lambda at: where)
    for column in columns:
        if not pd.api.types.is_numeric_dtype(values[column]):
            first = values[column].iloc[0]
            found = f"column {column!r} holds {first!r}, expected numbers"
            raise DataError(f"{where}: {found}; name it by --metadata")
    return narrowed(values.to_numpy(dtype=np.float64, na_value=np.nan), lambda at: where)


@guarded
def read_r_frame(path: str | Path, name: str, columns: list[str]) -> pd.DataFrame:
    """Read columns of a data frame in R's own format, or of its conversion to text.

    Parameters
    ----------
    path : str or Path
        ``.rda``, ``.RData`` or ``.rds``; or a tab-separated table with a header (``.tsv``, also packed).
    name : str
        The R object; without meaning in a text table.
    columns : list of str
        Which to return, in this order; others may be missing in a conversion.

    Returns
    -------
    DataFrame
        Texts, "" where R has NA; TRUE and FALSE as R writes them, numbers with at most 15 digits.

    Raises
    ------
    DataError
        If the object is no data frame or a column is missing.
    """
    path = Path(path)
    if file_kind(path) == "table":
        with opened(path) as stream:
            table = pd.read_csv(stream, sep="\t", dtype=str, keep_default_na=False, quoting=3)
    else:
        table = rdata_object(read_rdata(path), name, path=path)
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"{path.name}: R object {name!r} is a {type(table).__name__}, expected a data frame")
    absent = [one for one in columns if one not in table]
    if absent:
        found = ", ".join(map(str, table.columns[:12]))
        raise DataError(f"{path.name}: no column {absent[0]!r}, only {found}")
    return table[columns].apply(_texts).reset_index(drop=True)


def _texts(column: pd.Series) -> pd.Series:
    values = [_text(value, gap) for value, gap in zip(column, column.isna(), strict=True)]
    return pd.Series(values, index=column.index, dtype=object)


def _text(value: object, gap: bool) -> str:
    if gap:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).upper()
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)
