"""Columns of metadata: from the texts in a file to sensible types, and back to texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from exprml.base.errors import DataError

NULL = "-666"  # the mark of the Connectivity Map for "not available"
MISSING = {NULL, "-666.0", "na", "NA", "n/a", "N/A", "nan", "NaN"}
_TRUTH = {"True": True, "TRUE": True, "False": False, "FALSE": False}
_WHOLE = re.compile(r"[+-]?(0|[1-9]\d{0,17})")  # a leading zero is part of a name: 007 stays text
_NUMBER = re.compile(r"[+-]?((0|[1-9]\d*)(\.\d*)?|\.\d+|\d(\.\d+)?[eE][+-]?\d+)")  # 2310009E13 is a name


def typed(texts: Sequence[str]) -> np.ndarray | pd.Categorical:
    """Give a column of texts its type: bool, int64, float64 (missing as NaN) or text.

    Text without gaps stays an object array; with gaps (``-666``, ``NA``, ``na``, ``NaN``) it becomes a
    categorical, so that it can be saved. Digits with a leading zero and bare identifiers stay text.
    """
    values = np.asarray(texts, dtype=object)
    missing = np.array([one in MISSING for one in values], dtype=bool)
    present = [one for one, gap in zip(values, missing, strict=True) if not gap and one != ""]
    if present and len(present) == len(values) and all(one in _TRUTH for one in present):
        return np.array([_TRUTH[one] for one in present])
    if (present or missing.any()) and all(_NUMBER.fullmatch(one) for one in present):
        return _numbers(values, missing | (values == ""), present)
    if missing.any():
        return pd.Categorical(np.where(missing, None, values))
    return values


def typed_frame(columns: dict[str, Sequence[str]], index: Sequence[str]) -> pd.DataFrame:
    """Return a frame of :func:`typed` columns; a column ``id`` that repeats the index is dropped."""
    index = pd.Index(list(index), dtype=object)
    kept = {name: texts for name, texts in columns.items() if name != "id" or list(texts) != list(index)}
    return pd.DataFrame({name: typed(texts) for name, texts in kept.items()}, index=index)


def texts_with_null(column: pd.Series) -> list[str]:
    """Return a column as texts, the shortest that read back; missing values as ``-666``."""
    values = column.to_numpy()  # keeps float32 scalars: 0.1, not 0.10000000149011612
    return [NULL if gap else str(one) for one, gap in zip(values, column.isna(), strict=True)]


def as_texts(column: pd.Series, where: str) -> list[str]:
    """Return a metadata column as texts that :func:`typed` reads back; missing values as ``-666``.

    Raises
    ------
    DataError
        If a text holds a tab or a line break, which no cell of a GCT file can.
    """
    texts = texts_with_null(column)
    bad = next((one for one in texts if re.search(r"[\t\r\n]", one)), None)
    if bad is not None:
        raise DataError(
            f"{where} column {column.name!r}: {bad!r} holds a tab or line break; replace it first"
        )
    return texts


def _numbers(values: np.ndarray, gaps: np.ndarray, present: list[str]) -> np.ndarray:
    if not gaps.any() and all(_WHOLE.fullmatch(one) for one in present):
        return values.astype(np.int64)
    return np.where(gaps, "nan", values).astype(np.float64)
