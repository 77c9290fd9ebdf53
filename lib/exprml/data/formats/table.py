"""Delimited tables (TSV, CSV, plain or gzipped): a matrix with names and perhaps a few text columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import FormatError, UnknownNameError
from exprml.data.formats.container import check_choice, check_ids, float_type, make_adata, narrowed
from exprml.data.formats.guard import guarded
from exprml.data.formats.metadata import typed_frame
from exprml.data.formats.sniff import plain_suffix, require_kind
from exprml.data.formats.text import NumberRow, TextFile, numbered_lines


@guarded
def read_table(
    path: str | Path,
    *,
    samples_in: str = "rows",
    metadata_columns: Sequence[str] | None = None,
    delimiter: str | None = None,
    missing: str = "keep",
    dtype: type | str = np.float32,
    encoding: str = "utf-8",
) -> AnnData:
    """Read a table whose first column holds ids and whose other columns hold numbers.

    Parameters
    ----------
    path : str or Path
        ``.tsv``, ``.csv``, ``.txt``, each also with ``.gz``.
    samples_in : {"rows", "columns"}
        Where the samples stand; the genes stand in the other direction. Never guessed.
    metadata_columns : sequence of str, optional
        Columns that are no numbers of the matrix: sample metadata (into `obs`) when samples stand in rows,
        gene metadata (into `var`) when they stand in columns. A text column not named here is an error.
    delimiter : str, optional
        Comma for ``.csv``, else tab (comma where the first line has no tab).
    missing, dtype, encoding
        As in :func:`exprml.data.formats.gct.read_gct`.

    Returns
    -------
    AnnData, samples x genes
    """
    check_choice("samples_in", samples_in, ("rows", "columns"))
    path = require_kind(path, "table")
    with closing(numbered_lines(path)) as lines:
        head, (names, first) = _header(path, lines, delimiter, encoding)
        rows = _Rows(head, names, list(metadata_columns or []), samples_in, float_type(dtype))
        for line, raw in chain(first, lines):
            if raw.strip():
                rows.add(line, raw)
    matrix, outer, inner = rows.finish()
    how = f"table, samples in {samples_in}"
    if samples_in == "rows":
        return make_adata(matrix, outer, inner, path=path, how=how, missing=missing)
    return make_adata(np.ascontiguousarray(matrix.T), inner, outer, path=path, how=how, missing=missing)


class _Rows:
    """Rows of a table, split into id, metadata and numbers."""

    def __init__(
        self, file: TextFile, names: list[str], metadata: list[str], samples_in: str, dtype: type
    ) -> None:
        self.file, self.names, self.dtype = file, names, dtype
        self.row_kind, self.column_kind = ("sample", "gene") if samples_in == "rows" else ("gene", "sample")
        absent = next((name for name in metadata if name not in names[1:]), None)
        if absent is not None:
            raise UnknownNameError("metadata column", absent, names[1:], where=f"{file.path}, line 1")
        check_ids(names[1:], self.column_kind, file.path, lambda i: f"line 1, column {i + 2}")
        self.metadata = {name: names.index(name, 1) for name in metadata}
        self.numeric = [at for at in range(1, len(names)) if at not in self.metadata.values()]
        self.columns = [names[at] for at in self.numeric]
        if not self.columns:
            raise FormatError(
                f"{file.path}, line 1: expected columns of numbers after the ids, found {names[:3]} cut at "
                f"{file.delimiter!r}; pass the right delimiter=, and only text columns in metadata_columns="
            )
        # numbers that all stand at the end of the line are handed to numpy uncut
        self.lead = self.numeric[0] if self.numeric[-1] - self.numeric[0] + 1 == len(self.numeric) else None
        self.lead = self.lead if self.numeric[-1] == len(names) - 1 else None
        self.ids, self.lines, self.texts, self.values = [], [], [], []

    def add(self, line: int, raw: bytes) -> None:
        leading, values = self._fast(line, raw) or self._careful(line, raw)
        self.ids.append(leading[0])
        self.lines.append(line)
        self.texts.append([leading[at] for at in self.metadata.values()])
        self.values.append(values)

    def finish(self) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
        if not self.ids:
            raise FormatError(f"{self.file.path}: empty matrix, no rows after line 1")
        check_ids(self.ids, self.row_kind, self.file.path, lambda i: f"line {self.lines[i]}")
        outer = typed_frame(dict(zip(self.metadata, zip(*self.texts, strict=True), strict=False)), self.ids)
        inner = pd.DataFrame(index=pd.Index(self.columns, dtype=object))
        return np.stack(self.values), outer, inner

    def _fast(self, line: int, raw: bytes) -> tuple[list[str], np.ndarray] | None:
        if self.lead is None or b'"' in raw:
            return None
        parts = raw.split(self.file.delimiter.encode(), self.lead)
        if len(parts) <= self.lead:
            return None
        leading = [self.file.decode(part, line) for part in parts[:-1]]
        row = self._row(line, leading[0])
        values = row.fast(parts[-1])
        return None if values is None else (leading, narrowed(values, self.dtype, row.place))

    def _careful(self, line: int, raw: bytes) -> tuple[list[str], np.ndarray]:
        cells = self.file.cells(raw, line)
        if len(cells) != len(self.names):
            raise FormatError(
                f"{self.file.path}, line {line} ({self.row_kind} {cells[0]!r}): expected {len(self.names)} "
                f"cells as in line 1, found {len(cells)}; the table was cut short or has another delimiter"
            )
        row = self._row(line, cells[0])
        return cells, narrowed(row.careful([cells[at] for at in self.numeric]), self.dtype, row.place)

    def _row(self, line: int, name: str) -> NumberRow:
        kind = f"{self.row_kind} {name!r}"
        return NumberRow(self.file, line, kind, self.column_kind, self.columns, self.numeric[0] + 1)


def _header(
    path: Path, lines: Iterator[tuple[int, bytes]], delimiter: str | None, encoding: str
) -> tuple[TextFile, tuple[list[str], list[tuple[int, bytes]]]]:
    line, raw = next(lines)
    if delimiter is None:
        delimiter = "," if plain_suffix(path) == ".csv" or b"\t" not in raw else "\t"
    file = TextFile(path, delimiter, encoding, quoted=True)
    names = file.cells(raw, line)
    first = [pair for pair in [next(lines, None)] if pair]
    if first and len(file.cells(first[0][1], 2)) == len(names) + 1:
        names = ["", *names]  # R's write.table leaves the column of row names without a name
    return file, (names, first)
