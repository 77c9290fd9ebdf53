"""What the readers share: tables of text, ids that must be known, the steps that are noted."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from exprml.base.errors import DataError, require_columns
from exprml.base.files import from_yaml

Paths = Mapping[str, Path]


def text_table(path: Path, *, index: str, separator: str = ",") -> pd.DataFrame:
    """Return a table of texts by one of its columns, whose values must be unique.

    Quotes mean nothing where tabs separate: GTEx's notes of pathologists hold stray ones.
    """
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, quoting=quoting)
    require_columns(table, [index], path.name)
    table = table.set_index(index)
    if table.index.has_duplicates:
        raise DataError(
            f"{path.name}: {table.index[table.index.duplicated()][0]!r} stands twice in {index!r}"
        )
    return table


def listed(name: str) -> dict[str, Any]:
    """Return a table of names that lies beside the readers."""
    return from_yaml(Path(__file__).with_name(name).read_text(encoding="utf-8"))


def require(ids: pd.Index, known: pd.Index, kind: str, path: Path) -> None:
    """Raise if some of the ids are not known to the file at `path`."""
    absent = ids.difference(known)
    if len(absent):
        raise DataError(f"{path.name}: {len(absent)} of {len(ids)} {kind}s are not in it, as {absent[0]!r}")


def rows_for(ids: pd.Index, kind: str, path: Path, *, index: str, separator: str = ",") -> pd.DataFrame:
    """Return the rows of a table of texts, one for each id in turn; raise if it lacks some."""
    table = text_table(path, index=index, separator=separator)
    require(ids, table.index, kind, path)
    return table.loc[ids]


def reading(paths: Paths) -> list[str]:
    """Return what was read, by the same names whether a copy is gzipped or not."""
    return [f"read {path.name.removesuffix('.gz')}" for path in paths.values()]
