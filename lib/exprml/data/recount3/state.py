"""How far a build has come: one SQLite file, so that a project is finished or was never begun.

With it go the mean, variance and range of every gene over the samples so far.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

VARIANCES = ("per-sample", "by-line-number")
_ARRAYS = ("mean", "squares", "minimum", "maximum")
_TABLES = """
create table if not exists projects (name text primary key, place integer, seen text, kept text, audit text);
create table if not exists running (key text primary key, value blob);
"""


class State:
    """Finished projects with their samples and counts, and the running statistics after the last of them."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        with closing(sqlite3.connect(self.path)) as base:
            base.executescript(_TABLES)

    def finished(self) -> set[str]:
        """Return the projects the first pass is through with."""
        return {name for (name,) in self._all("select name from projects")}

    def seen(self) -> set[str]:
        """Return the ids of all samples met so far, kept or not."""
        return {one for (ids,) in self._all("select seen from projects") for one in json.loads(ids)}

    def finish(
        self, project: str, seen: list[str], kept: pd.DataFrame, audit: dict, running: Running
    ) -> None:
        """Record a project and the statistics after it, both or neither."""
        row = (project, json.dumps(seen), kept.to_json(orient="split"), json.dumps(audit))
        with closing(sqlite3.connect(self.path)) as base, base:
            place = "(select count(*) from projects)"
            base.execute(f"insert into projects values (?, {place}, ?, ?, ?)", row)
            base.executemany("insert or replace into running values (?, ?)", running.to_bytes().items())

    def running(self, fresh: Running) -> Running:
        """Return the statistics so far; `fresh` if there are none."""
        stored = dict(self._all("select key, value from running"))
        return fresh.from_bytes(stored) if stored else fresh

    def kept(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Yield each project with its kept samples, in the order of the first pass."""
        for name, text in self._all("select name, kept from projects order by place"):
            yield name, pd.DataFrame(**{"index": [], **json.loads(text)}).rename_axis("sample")

    def audit(self) -> pd.DataFrame:
        """Return samples and projects by what became of them, summed over the projects."""
        rows = [json.loads(text) for (text,) in self._all("select audit from projects order by place")]
        return pd.DataFrame(rows).sum().rename("samples").to_frame()

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as base:
            return base.execute(query).fetchall()


class Running:
    """Running moments of n genes, float64.

    Parameters
    ----------
    n_genes : int
    variance : {"per-sample", "by-line-number"}
        Right (parts are merged as Chan et al. do), or with the slip of the paper's code, which divides by the
        number of the line a sample stands in, counting those it passed over (heil2022, public code).
    """

    def __init__(self, n_genes: int, variance: str = "per-sample") -> None:
        self.n, self.lines, self.variance = 0, 0, variance
        self.mean, self.squares = np.zeros(n_genes), np.zeros(n_genes)
        self.minimum, self.maximum = np.full(n_genes, np.inf), np.full(n_genes, -np.inf)

    def add(self, values: np.ndarray, usable: np.ndarray) -> None:
        """Take samples x genes, those that are `usable`; the others only count as lines."""
        lines = self.lines + 1 + np.flatnonzero(usable)
        self.lines += len(usable)
        values = values[usable]
        if not len(values):
            return
        if self.variance == "per-sample":
            self._merge(values)
        else:
            for row, line in zip(values, lines, strict=True):
                self._slip(row, int(line), first=self.n == 0 and line == lines[0])
        self.n += len(values)
        self.minimum = np.minimum(self.minimum, values.min(axis=0))
        self.maximum = np.maximum(self.maximum, values.max(axis=0))

    def variances(self) -> np.ndarray:
        """Return the variance of every gene."""
        below = self.n - 1 if self.variance == "per-sample" else self.lines - 2
        return self.squares / max(below, 1)

    def choose(self, n_genes: int, rank: str) -> np.ndarray:
        """Return the positions of the most variable genes, in their order.

        Parameters
        ----------
        n_genes : int
        rank : {"after-scaling", "before-scaling"}
            As the paper's text (variance of values scaled to [0, 1]) or its Recount3 code (of TPM).
        """
        variances = self.variances()
        if rank == "after-scaling":
            spread = self.maximum - self.minimum
            variances = np.where(spread > 0, variances / np.where(spread > 0, spread, 1) ** 2, 0)
        return np.sort(np.argsort(-variances, kind="stable")[:n_genes])

    def scaled(self, values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        """Return the chosen genes scaled to [0, 1] by the smallest and largest value of all samples."""
        low, spread = self.minimum[chosen], self.maximum[chosen] - self.minimum[chosen]
        return np.where(spread > 0, (values[:, chosen] - low) / np.where(spread > 0, spread, 1), 0)

    def to_bytes(self) -> dict[str, bytes | int]:
        """Return everything as plain bytes, for :meth:`from_bytes`."""
        return {"n": self.n, "lines": self.lines, **{one: getattr(self, one).tobytes() for one in _ARRAYS}}

    def from_bytes(self, stored: Mapping[str, bytes | int]) -> Running:
        """Take over what :meth:`to_bytes` gave, exactly."""
        self.n, self.lines = int(stored["n"]), int(stored["lines"])
        for one in _ARRAYS:
            setattr(self, one, np.frombuffer(stored[one], np.float64).copy())
        return self

    def _merge(self, values: np.ndarray) -> None:
        n, mean = len(values), values.mean(axis=0, dtype=np.float64)
        delta, total = mean - self.mean, self.n + len(values)
        self.squares += ((values - mean) ** 2).sum(axis=0) + delta**2 * (self.n * n / total)
        self.mean += delta * (n / total)

    def _slip(self, row: np.ndarray, line: int, first: bool) -> None:
        delta = row - self.mean
        self.mean = row.astype(np.float64) if first else self.mean + delta / line
        self.squares += delta * (row - self.mean)
