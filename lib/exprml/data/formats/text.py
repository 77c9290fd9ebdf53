"""Numbered lines of a plain or gzipped text file, and strict numbers from delimited cells."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exprml.base.errors import DataError, FormatError
from exprml.data.formats.guard import text_lines
from exprml.data.formats.sniff import DAMAGED

MISSING_CELLS = {"", "na", "nan", "n/a", "null"}  # compared in lower case


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line without its end) of a text file, unpacking gzip by content.

    Raises
    ------
    FormatError
        If the gzip stream is damaged or cut short; the message says after which line.
    """
    number = 0
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else open(path, "rb") as stream:
        try:
            for number, line in enumerate(text_lines(stream, path), 1):
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                yield number, line.rstrip(b"\r\n")
        except DAMAGED as error:
            raise FormatError(
                f"{path}: gzip data damaged or cut short after line {number} ({error}); fetch the file again"
            ) from error


@dataclass(frozen=True)
class TextFile:
    """How one file's cells are written, so that every error can say where it stands."""

    path: Path
    delimiter: str = "\t"
    encoding: str = "utf-8"
    quoted: bool = False  # cells may stand in double quotes, as R and spreadsheets write them

    def decode(self, raw: bytes, line: int) -> str:
        """Return `raw` as text, or raise :class:`FormatError` naming the line and byte."""
        try:
            return raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise FormatError(
                f"{self.path}, line {line}, byte {error.start + 1}: expected {self.encoding} text, found "
                f"byte 0x{raw[error.start]:02x}; save the file as UTF-8 or pass encoding='latin-1'"
            ) from error

    def cells(self, raw: bytes, line: int) -> list[str]:
        """Return the cells of a line, without their quotes in a `quoted` file."""
        text = self.decode(raw, line)
        if not self.quoted or '"' not in text:
            return text.split(self.delimiter)
        try:
            return next(csv.reader([text], delimiter=self.delimiter))
        except csv.Error as error:
            raise FormatError(
                f"{self.path}, line {line}: no readable cells ({error}); is there a stray quote in it?"
            ) from error


@dataclass(frozen=True)
class NumberRow:
    """One row of numbers: where it stands and what its cells are called.

    `first_column` is the position (from 1) of the first number in the line.
    """

    file: TextFile
    line: int
    row: str
    column_kind: str
    columns: Sequence[str]
    first_column: int

    def fast(self, raw: bytes) -> np.ndarray | None:
        """Return the numbers of clean cells, None when a cell is empty, quoted, spaced or no number."""
        mark = self.file.delimiter.encode()
        if b" " in raw or mark * 2 in raw or raw.startswith(mark) or raw.endswith(mark):
            return None  # numpy would skip an empty cell silently
        try:
            values = np.fromstring(raw, sep=self.file.delimiter)
        except ValueError:
            return None
        return values if values.size == len(self.columns) and not np.isinf(values).any() else None

    def careful(self, cells: Sequence[str]) -> np.ndarray:
        """Return the numbers cell by cell: missing cells as NaN, anything else an error that names it."""
        return np.array([self._number(cell, position) for position, cell in enumerate(cells)])

    def parse(self, raw: bytes) -> np.ndarray:
        """Return the row's float64 values, shape (columns,)."""
        values = self.fast(raw)
        return self.careful(self.file.cells(raw, self.line)) if values is None else values

    def place(self, position: int) -> str:
        """Return where the number at `position` stands: file, line, column, row, column's name."""
        return (
            f"{self.file.path}, line {self.line}, column {self.first_column + position} "
            f"({self.row}, {self.column_kind} {self.columns[position]!r})"
        )

    def _number(self, cell: str, position: int) -> float:
        cell = cell.strip()
        if cell.lower() in MISSING_CELLS:
            return np.nan
        try:
            if "_" in cell:  # Python would read 1_000 as a thousand
                raise ValueError
            value = float(cell)
        except ValueError:
            problem = (
                f": expected a number, found {cell[:60]!r}; correct the cell or leave it empty (missing)"
            )
            raise DataError(self.place(position) + problem) from None
        if np.isinf(value) and any(one.isdigit() for one in cell):  # 1e999 is no word for infinity
            raise DataError(f"{self.place(position)}: {cell[:60]!r} is too large, it would be infinite")
        return value
