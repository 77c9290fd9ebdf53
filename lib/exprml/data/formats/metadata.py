"""Columns of metadata: from the texts in a file to sensible types, and back to texts."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from exprml.base.errors import DataError

NULL = "-666"  # the mark of the Connectivity Map for "not available"
_TRUTH = {"True": True, "False": False}
_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")


def typed(texts: Sequence[str]) -> np.ndarray | pd.Categorical:
    """Give a column of texts its type: bool, int64, float64 (missing as NaN) or text.

    Only texts that a number gives back become numbers: ``1.10``, ``+1``, ``007``, ``TRUE`` and digits beyond
    a float's stay text, so that two names never become one. ``-666`` is missing; text with such gaps becomes
    a categorical, so that it can be saved. ``NA`` and the like are words.
    """
    values = np.asarray(texts, dtype=object)
    missing = values == NULL
    present = [one for one, gap in zip(values, missing, strict=True) if not gap]
    if present and not missing.any() and all(one in _TRUTH for one in present):
        return np.array([_TRUTH[one] for one in present])
    if not missing.any() and present and all(_WHOLE.fullmatch(one) for one in present):
        return values.astype(np.int64)
    if _same_as_floats(present):
        return np.where(missing, "nan", values).astype(np.float64)
    if missing.any():
        return pd.Categorical(np.where(missing, None, values))
    return values


def _same_as_floats(texts: list[str]) -> bool:
    """Return whether floats give back every text, all with or all without the .0 of whole numbers."""
    try:
        written = [repr(float(one)) for one in texts]
    except ValueError:
        return False
    shortest = [one.removesuffix(".0") for one in written]
    return texts in (written, shortest) and not {"nan", "inf", "-inf"} & set(written)


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
        raise DataError(f"{where} column {column.name!r}: {bad!r} holds a tab or line break; replace it")
    return texts
