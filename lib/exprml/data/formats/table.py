"""Delimited tables (TSV, CSV, plain or gzipped): a matrix with names and perhaps a few text columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import FormatError, check_known
from exprml.data.formats.container import check_ids, make_adata
from exprml.data.formats.guard import Growing, guarded
from exprml.data.formats.layout import (
    ID_TITLES,
    ROW_NUMBER_TITLES,
    TextLayout,
    are_row_numbers,
    read_by_layout,
    title,
)
from exprml.data.formats.text import NumberRow, number_in

ANNOTATION = {"chr", "chrom", "chromosome", "end", "entrez", "entrezid", "geneid", "length", "ncbigeneid",
              "start", "strand", "txlength", "width"}  # numbers of a gene, never a sample's name  # fmt: skip
_FEATURE_COUNTS = ["Chr", "Start", "End", "Strand", "Length"]  # stand before the samples' .bam files
_OBJECT = 100  # bytes of memory of an id or a word


@guarded
def read_table(
    path: str | Path,
    *,
    samples_in: str = "rows",
    metadata_columns: Sequence[str] | None = None,
    delimiter: str = "",
    decimal: str = "",
    encoding: str = "",
    duplicates: str = "error",
) -> AnnData:
    """Read a table whose first column holds ids and whose other columns hold numbers or words.

    Parameters
    ----------
    path : str or Path
        ``.tsv``, ``.csv``, ``.txt``, each also with ``.gz``.
    samples_in : {"rows", "columns"}
        Where the samples stand; the genes stand in the other direction. Never guessed.
    metadata_columns : sequence of str, optional
        Columns that are no numbers of the matrix: sample metadata (into `obs`) when samples stand in rows,
        gene metadata (into `var`) when they stand in columns. Columns of words are such without being named,
        and so are numbers between them. All metadata are words: ``1.10`` and ``0001`` stay as they are.
    delimiter, decimal, encoding
        As in :func:`exprml.data.formats.layout.read_by_layout`; found by the first lines unless told.
    duplicates : {"error", "sum", "mean", "first"}
        What becomes of genes with one id.

    Returns
    -------
    AnnData, samples x genes
        float32. What was taken as what stands in ``uns["provenance"]["steps"]``.
    """
    check_known("samples_in", [samples_in], ("rows", "columns"))
    columns = list(metadata_columns or [])

    def read(layout: TextLayout) -> tuple[_Rows, np.ndarray, pd.DataFrame, pd.DataFrame]:
        rows = _Rows(layout, columns, samples_in, duplicates)
        for line, raw in layout.lines():
            rows.add(line, raw)
        return rows, *rows.finish()

    rows, matrix, outer, inner = read_by_layout(
        path, read, delimiter=delimiter, decimal=decimal, encoding=encoding
    )
    how = f"table, samples in {samples_in}, {rows.said(outer)}"
    if samples_in == "columns":
        matrix, outer, inner = np.ascontiguousarray(matrix.T), inner, outer
    return make_adata(matrix, outer, inner, path=Path(path), how=how, duplicates=duplicates)


class _Rows:
    """Rows of a table, split into id, metadata and numbers."""

    def __init__(self, layout: TextLayout, metadata: list[str], samples_in: str, duplicates: str) -> None:
        self.layout, self.file, self.duplicates = layout, layout.file, duplicates
        self.names = names = list(layout.names)
        path = self.file.path
        self.row_kind, self.column_kind = ("sample", "gene") if samples_in == "rows" else ("gene", "sample")
        check_known("metadata column", metadata, names[1:], f"{path}, line {layout.line}")
        found = _text_columns(layout, samples_in, metadata)
        self.metadata = [at for at in range(1, len(names)) if names[at] in metadata or at in found]
        self.numeric = [at for at in range(1, len(names)) if at not in self.metadata]
        self.columns, self.places = [names[at] for at in self.numeric], [at + 1 for at in self.numeric]
        self.from_files = samples_in == "columns" and names[1:6] == _FEATURE_COUNTS
        if self.from_files:
            self.columns = [re.sub(r".*/|\.[bs]am$", "", name) for name in self.columns]
        if not self.columns:
            raise FormatError(
                f"{path}, line {layout.line}: expected columns of numbers after the ids, found {names[:3]}, "
                f"{layout.said()}; --delimiter says what stands between the cells"
            )
        place, titles = f"line {layout.line}, column", [names[at] for at in self.metadata]
        self._check(self.column_kind, self.columns, lambda i: f"{place} {self.places[i]}")
        self._check("metadata column", titles, lambda i: f"{place} {self.metadata[i] + 1}")
        # numbers that all stand at the end of the line are handed to numpy uncut
        at_end = self.numeric == list(range(len(names) - len(self.numeric), len(names)))
        self.lead = self.numeric[0] if at_end else None
        self.ids, self.lines, self.texts, self.values = [], [], [], []
        self.memory = Growing(path, "its values")

    def _check(self, kind: str, names: Sequence[str], place: Callable[[int], str]) -> None:
        check_ids(names, kind, self.file.path, place, duplicates=self.duplicates)

    def add(self, line: int, raw: bytes) -> None:
        leading, values = self._fast(line, raw) or self._careful(line, raw)
        # twice: rows, then their stack
        self.memory.add(2 * values.nbytes + _OBJECT * (4 + len(self.metadata)))
        self.ids.append(leading[0].strip())
        self.lines.append(line)
        self.texts.append([leading[at].strip() for at in self.metadata])
        self.values.append(values)

    def finish(self) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
        if not self.ids:
            raise FormatError(f"{self.file.path}: empty matrix, no rows after line {self.layout.line}")
        texts = list(zip(*self.texts, strict=True)) or [()] * 0
        words = {self.names[at]: list(column) for at, column in zip(self.metadata, texts, strict=False)}
        ids, self.id_title = self._better_ids(words)
        self._check(self.row_kind, ids, lambda i: f"line {self.lines[i]}")
        outer = pd.DataFrame(words, index=pd.Index(ids, dtype=object), dtype=object)
        inner = pd.DataFrame(index=pd.Index(self.columns, dtype=object))
        return np.stack(self.values), outer, inner

    def said(self, outer: pd.DataFrame) -> str:
        """Return what was taken as ids, as metadata and as values."""
        ids = f"ids in column {self.id_title!r}" if self.id_title else "ids in the first column"
        listed = ", ".join(map(repr, outer))
        about = f"; no {self.column_kind}s but metadata: {listed}" if listed else ""
        short = "; samples named by their files, without folder and .bam" if self.from_files else ""
        return f"{self.layout.said()}; {self.row_kind} {ids}{about}{short}"

    def _better_ids(self, words: dict[str, list[str]]) -> tuple[list[str], str]:
        """Return the ids and their column: a column named for it where the first one counts rows."""
        if title(self.names[0]) in ROW_NUMBER_TITLES and are_row_numbers(self.ids):
            for name, column in words.items():
                if title(name) in ID_TITLES and len(set(column)) == len(column) and all(column):
                    return column, name
        return self.ids, self.names[0]

    def _fast(self, line: int, raw: bytes) -> tuple[list[str], np.ndarray] | None:
        if self.lead is None or self.file.delimiter == " ":
            return None
        parts = raw.split(self.file.delimiter.encode(), self.lead)
        if len(parts) <= self.lead or b'"' in parts[-1]:
            return None
        leading = [self.file.decode(part, line) for part in parts[:-1]]
        if any('"' in part for part in leading):
            leading = [_plainly_quoted(part) for part in leading]
            if None in leading:
                return None
        row = self._row(line, leading[0])
        values = row.fast(parts[-1])
        return None if values is None else (leading, values)

    def _careful(self, line: int, raw: bytes) -> tuple[list[str], np.ndarray]:
        cells = self.layout.cells(raw, line)
        return cells, self._row(line, cells[0]).careful([cells[at] for at in self.numeric])

    def _row(self, line: int, name: str) -> NumberRow:
        kind, shown = self.column_kind, f"{self.row_kind} {name!r}"
        return NumberRow(self.file, line, shown, kind, self.columns, self.places)


def _plainly_quoted(part: str) -> str | None:
    """Return a cell without the quotes around it; None where quotes stand elsewhere."""
    found = re.fullmatch(r'"([^"]*)"|([^"]*)', part, re.DOTALL)
    return found and part.strip('"')


def _text_columns(layout: TextLayout, samples_in: str, metadata: Sequence[str]) -> set[int]:
    """Return positions of columns that hold words, and of numbers that stand among them.

    A column is one of words if most of its first cells are no numbers; single odd cells are errors.
    """
    width, decimal = len(layout.names), layout.file.decimal
    rows = [row for _, row in layout.rows if len(row) >= width]
    words = {at for at in range(1, width) if layout.names[at] in metadata}
    for at in range(1, width):
        numbers = [number_in(row[at], decimal) for row in rows]
        filled = [number for number, row in zip(numbers, rows, strict=True) if row[at].strip()]
        if filled and sum(number is None for number in filled) > len(filled) / 2:
            words.add(at)
    if samples_in == "columns":
        others = (at for at in range(1, width) if at not in words and not _annotates(layout.names[at]))
        first = next(others, 0)
        return words | {at for at in range(1, first) if _annotates(layout.names[at])}
    return words | _between(sorted(words), list(layout.names))


def _annotates(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.lower()) in ANNOTATION


def _between(words: list[int], names: list[str]) -> set[int]:
    """Return the columns of numbers that stand before the last column of words, where genes stand after it.

    Such are age or dose beside tissue and donor. Names like those of the genes stay genes.
    """
    if not words:
        return set()
    block, after = range(1, words[-1]), range(words[-1] + 1, len(names))
    inside = [at for at in block if at not in words]
    if len(inside) > len(after) / 4:
        return set()
    shapes = {_case(names[at]) for at in after}
    return {at for at in inside if _case(names[at]) not in shapes}


def _case(name: str) -> tuple[bool, bool, bool]:
    return name.isupper(), name.islower(), any(map(str.isdigit, name))
