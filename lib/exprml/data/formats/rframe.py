"""A data frame of an R file, or the text table it was converted to: the same table of texts from both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from exprml.base.errors import DataError
from exprml.data.formats.guard import guarded
from exprml.data.formats.rfile import rdata_object, read_rdata
from exprml.data.formats.sniff import file_kind

_DIGITS = 15  # of a double, as R writes it


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
    table = _from_text(path) if file_kind(path) == "table" else _from_r(path, name)
    absent = [one for one in columns if one not in table]
    if absent:
        found = ", ".join(map(str, table.columns[:12]))
        raise DataError(f"{path.name}: no column {absent[0]!r}, only {found}")
    return table[columns].apply(_texts).reset_index(drop=True)


def _from_text(path: Path) -> pd.DataFrame:
    packed = path.open("rb").read(2) == b"\x1f\x8b"  # told by content, as everywhere
    compression = "gzip" if packed else None
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, compression=compression, quoting=3)


def _from_r(path: Path, name: str) -> pd.DataFrame:
    found = rdata_object(read_rdata(path), name, path=path)
    if not isinstance(found, pd.DataFrame):
        raise DataError(f"{path.name}: R object {name!r} is a {type(found).__name__}, expected a data frame")
    return found


def _texts(column: pd.Series) -> pd.Series:
    values = [_text(value, gap) for value, gap in zip(column, column.isna(), strict=True)]
    return pd.Series(values, index=column.index, dtype=object)


def _text(value: object, gap: bool) -> str:
    if gap:
        return ""
    if isinstance(value, bool | np.bool_):
        return str(value).upper()
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else str(value)
