"""Numbered lines of a plain or gzipped text file, and strict numbers from delimited cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from exprml.base.errors import DataError, FormatError
from exprml.data.formats.container import narrowed
from exprml.data.formats.guard import LINE_BYTES, text_lines
from exprml.data.formats.sniff import DAMAGED, opened

MISSING_CELLS = {"", "na", "nan", "n/a", "null"}  # compared in lower case
_WIDE = (b"\xff\xfe", b"\xfe\xff")  # first bytes of UTF-16
_BLOCK = 1 << 14  # bytes looked at together to tell line ends


class EncodingError(FormatError):
    """A text that is not in the encoding it was read by."""


def numbered_lines(path: Path, encoding: str = "") -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line without its end) of a text file, unpacking gzip by content.

    Lines may end in LF, CRLF or, throughout the file, CR. UTF-16 (by its first bytes or by `encoding`) comes
    out as UTF-8; other bytes are left as they are.

    Raises
    ------
    FormatError
        If the gzip stream is damaged or cut short; the message says after which line.
    """
    number = 0
    with opened(path) as stream:
        try:
            for number, line in enumerate(_lines(stream, path, encoding), 1):
                line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                yield number, line.rstrip(b"\r\n")
        except DAMAGED as error:
            raise FormatError(
                f"{path}: gzip data damaged or cut short after line {number} ({error}); fetch the file again"
            ) from error
        except UnicodeError as error:
            raise EncodingError(
                f"{path}, line {number + 1}: no {encoding or 'UTF-16'} text ({error})"
            ) from error


def is_wide(path: Path, encoding: str = "") -> bool:
    """Return whether :func:`numbered_lines` turns the file into UTF-8."""
    with opened(path) as stream:
        return stream.read(2) in _WIDE or _wide_name(encoding)


def _wide_name(encoding: str) -> bool:
    return encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32"))


def _lines(stream: IO[bytes], path: Path, encoding: str) -> Iterator[bytes]:
    start, returns, seen = stream.read(2), False, 0
    while (block := stream.read(_BLOCK)) and b"\n" not in block and seen <= LINE_BYTES:
        seen += len(block)
        if b"\r" in block:
            returns = b"\n" not in stream.read(_BLOCK)  # the block may have ended between CR and LF
            break
    stream.seek(0)
    if start in _WIDE or _wide_name(encoding):
        codec = encoding if _wide_name(encoding) and start not in _WIDE else "utf-16"
        return (line.encode() for line in text_lines(io.TextIOWrapper(stream, codec), path))
    if returns:  # latin-1 there and back leaves every byte as it is
        turned = io.TextIOWrapper(stream, "latin-1")
        return (line.encode("latin-1") for line in text_lines(turned, path))
    return text_lines(stream, path)


@dataclass(frozen=True)
class TextFile:
    """How one file's cells are written, so that every error can say where it stands."""

    path: Path
    delimiter: str = "\t"
    encoding: str = "utf-8"
    quoted: bool = False  # cells may stand in double quotes, as R and spreadsheets write them
    decimal: str = "."

    def decode(self, raw: bytes, line: int) -> str:
        """Return `raw` as text, or raise :class:`EncodingError` naming the line and byte."""
        try:
            return raw.decode(self.encoding)
        except UnicodeDecodeError as error:
            raise EncodingError(
                f"{self.path}, line {line}, byte {error.start + 1}: expected {self.encoding} text, found "
                f"byte 0x{raw[error.start]:02x}; save the file as UTF-8"
            ) from error

    def cells(self, raw: bytes, line: int, expected: int = 0) -> list[str]:
        """Return the cells of a line, without their quotes in a `quoted` file.

        A quote that is never closed, or that would leave another number of cells than `expected`, is a
        character like any other.
        """
        return split_line(self.decode(raw, line), self.delimiter, expected if self.quoted else -1)


def split_line(text: str, delimiter: str, expected: int = 0) -> list[str]:
    """Return the cells of a line; `expected` as in :meth:`TextFile.cells`, -1: quotes mean nothing."""
    if delimiter == " ":
        text = text.strip()
    literal = text.split() if delimiter == " " else text.split(delimiter)
    if expected < 0 or '"' not in text:
        return literal
    quoted = quoted_cells(text, delimiter)
    if quoted is not None and (not expected or len(quoted) == expected or len(literal) != expected):
        return quoted
    return [_unquoted(cell) for cell in literal]


def quoted_cells(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of a line by the rules of CSV; None if it breaks them (an open quote)."""
    reader = csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=delimiter == " ")
    try:
        return next(reader)
    except csv.Error:
        return None


def _unquoted(cell: str) -> str:
    enclosed = len(cell) > 1 and cell.startswith('"') and cell.endswith('"')
    return cell[1:-1].replace('""', '"') if enclosed else cell


@dataclass(frozen=True)
class NumberRow:
    """One row of numbers: where it stands and what its cells are called.

    `positions` are those (from 1) of the numbers in the line.
    """

    file: TextFile
    line: int
    row: str
    column_kind: str
    columns: Sequence[str]
    positions: Sequence[int]

    def fast(self, raw: bytes) -> np.ndarray | None:
        """Return the numbers of clean cells, None where a cell is empty, quoted, spaced or no number."""
        mark = self.file.delimiter.encode()
        if mark != b" " and (b" " in raw or mark * 2 in raw or raw.startswith(mark) or raw.endswith(mark)):
            return None  # numpy would skip an empty cell silently
        if self.file.decimal == ",":
            if b"." in raw:
                return None
            raw = raw.replace(b",", b".")
        try:
            values = np.fromstring(raw, sep=self.file.delimiter)
        except ValueError:
            return None
        clean = values.size == len(self.columns) and not np.isinf(values).any()
        return narrowed(values, self.place) if clean else None

    def careful(self, cells: Sequence[str]) -> np.ndarray:
        """Return the numbers cell by cell: missing cells as NaN, anything else an error that names it."""
        numbers = [self._number(cell, position) for position, cell in enumerate(cells)]
        return narrowed(np.array(numbers), self.place)

    def parse(self, raw: bytes) -> np.ndarray:
        """Return the row's float32 values, shape (columns,)."""
        values = self.fast(raw)
        return self.careful(self.file.cells(raw, self.line)) if values is None else values

    def place(self, position: int) -> str:
        """Return where the number at `position` stands: file, line, column, row, column's name."""
        return (
            f"{self.file.path}, line {self.line}, column {self.positions[position]} "
            f"({self.row}, {self.column_kind} {self.columns[position]!r})"
        )

    def _number(self, cell: str, position: int) -> float:
        value = number_in(cell, self.file.decimal)
        if value is None:
            shown = cell.strip()
            shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
            problem = f": expected a number, found {shown!r}; correct the cell or leave it empty (missing)"
            if number_in(cell, "," if self.file.decimal == "." else ".") is not None and self.file.quoted:
                problem += ", or say which mark stands before decimals: --decimal , or --decimal ."
            raise DataError(self.place(position) + problem)
        if np.isinf(value) and any(one.isdigit() for one in cell):  # 1e999 is no word for infinity
            shown = cell.strip()[:60]
            raise DataError(f"{self.place(position)}: {shown!r} is too large, it would be infinite")
        return value


def number_in(cell: str, decimal: str = ".") -> float | None:
    """Return the number a cell holds: NaN for a missing one, None for anything else."""
    cell = cell.strip()
    if cell.lower() in MISSING_CELLS:
        return np.nan
    if decimal == ",":
        if "." in cell:
            return None
        cell = cell.replace(",", ".")
    try:
        return None if "_" in cell else float(cell)  # Python would read 1_000 as a thousand
    except ValueError:
        return None
