"""Say whether a change left the results as they were: compare the tables of two builds, but for the run.

    python tests/compare_tables.py BEFORE AFTER     (two folders data/results/<profile>)

Seconds are not compared. Ends with status 1 if a table differs, or stands in one folder only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd


def tables(folder: Path) -> dict[str, pd.DataFrame]:
    """Return the results tables below a folder as texts, without the column `run`."""
    paths = [path for path in folder.rglob("*.csv") if not path.name.endswith(".seconds.csv")]
    return {
        path.relative_to(folder).as_posix(): pd.read_csv(path, dtype=str, keep_default_na=False).drop(
            columns="run", errors="ignore"
        )
        for path in paths
    }


def differences(before: dict[str, pd.DataFrame], after: dict[str, pd.DataFrame]) -> list[str]:
    """Return a line for every table that is not the same on both sides."""
    found = []
    for name in sorted({*before, *after}):
        if name not in before or name not in after:
            found.append(f"{name}: only {'before' if name in before else 'after'}")
        elif not before[name].equals(after[name]):
            found.append(f"{name}: {before[name].shape} before, {after[name].shape} after")
            if before[name].shape == after[name].shape and list(before[name]) == list(after[name]):
                changed = before[name].compare(after[name], result_names=("before", "after"))
                found.append(changed.head().to_string())
    return found


if __name__ == "__main__":
    first, second = (tables(Path(one)) for one in sys.argv[1:3])
    found = differences(first, second)
    print(*found, f"{len(first)} tables, {sum(map(len, first.values()))} rows", sep="\n")
    sys.exit(bool(found))
