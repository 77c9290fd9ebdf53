"""How far a build has come: one SQLite file, so that a project is finished or was never begun."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from exprml.data.recount3.running import Running

_TABLES = """
create table if not exists projects (name text primary key, place integer, seen text, kept text, audit text);
create table if not exists running (key text primary key, value blob);
create table if not exists written (name text, rows text, primary key (name, rows));
"""


class State:
    """Finished projects with their samples and counts, and the running statistics after the last of them."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        with closing(self._open()) as base:
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
        with closing(self._open()) as base, base:
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

    def written(self, rows: str) -> set[str]:
        """Return the projects whose chosen genes are in a file of rows."""
        return {name for (name,) in self._all("select name from written where rows = ?", rows)}

    def write(self, project: str, rows: str) -> None:
        """Record that the chosen genes of a project are in a file of rows."""
        with closing(self._open()) as base, base:
            base.execute("insert or replace into written values (?, ?)", (project, rows))

    def forget(self, rows: str) -> None:
        """Record that nothing is in a file of rows: it begins anew."""
        with closing(self._open()) as base, base:
            base.execute("delete from written where rows = ?", (rows,))

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path)

    def _all(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        with closing(self._open()) as base:
            return base.execute(query, values).fetchall()
