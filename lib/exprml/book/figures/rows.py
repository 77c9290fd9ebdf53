"""Long tables made ready for a figure: the rows of a metric, what makes a line, what makes a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from exprml.base.errors import DataError

UNITS = ("task", "split", "fold", "seed")
_PLACES = {"intact": 0, "none": 0, "before": 0, "split": 1, "removed": 1, "after": 1, "joint": 2}


def with_lines(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with a column ``line``: the model's name or, in a control row, the control's."""
    control = table["control"].fillna("").astype(str) if "control" in table else ""
    table = table.assign(control=control)
    return table.assign(line=table["model"].astype(str).where(table["control"] == "", table["control"]))


def rows_of(table: pd.DataFrame, metric: str | None) -> pd.DataFrame:
    """Return the rows of one metric with a column ``line``; all rows where the table has no such column.

    Raises
    ------
    DataError
        If nothing is left to draw.
    """
    rows = table[table["metric"] == metric] if metric and "metric" in table else table
    rows = rows[rows["value"].notna()].astype({name: float for name in ("n_train", "value") if name in table})
    if rows.empty:
        there = sorted(set(table["metric"])) if "metric" in table else []
        raise DataError(f"no values of metric {metric!r} to draw; the table has {there or 'no rows'}")
    return with_lines(rows)


def panels_of(
    rows: pd.DataFrame, column: str | None, order: Sequence[str] | None = None
) -> list[tuple[str, pd.DataFrame]]:
    """Return ``(name, rows)`` for each panel: in the order given, else intact before removed."""
    if column is None or column not in rows:
        return [("", rows)]
    there = list(rows[column].unique())
    names = order or sorted(there, key=lambda name: _PLACES.get(str(name), len(_PLACES)))
    missing = [name for name in names if name not in there]
    if missing:
        raise DataError(f"nothing to draw for {column} {missing[0]!r}: the table has {sorted(there)}")
    return [(str(name), rows[rows[column] == name]) for name in names]


def spread_words(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Return what one dot is and how many there are, e.g. ``dots: 5 folds × 3 seeds``."""
    counts = [(labels.get(unit, unit), rows[unit].nunique()) for unit in ("fold", "seed") if unit in rows]
    words = " × ".join(f"{count} {unit}{'s' if count > 1 else ''}" for unit, count in counts if count > 1)
    return f"dots: {words}; lines: their mean" if words else "one run, no spread"
