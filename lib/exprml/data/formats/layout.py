"""How a delimited text file is written: found by looking at its first lines, or told.

One look gives one :class:`TextLayout`, which the readers of tables and of labels share: the mark between
cells, the decimal mark, the encoding, lines before the header, names, and whether R's row names stand there.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from exprml.base.errors import FormatError, ParameterError
from exprml.data.formats.sniff import plain_suffix, require_kind
from exprml.data.formats.text import (
    EncodingError,
    TextFile,
    is_wide,
    number_in,
    numbered_lines,
    quoted_cells,
    split_line,
)

DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "space": " "}
DECIMALS = {"point": ".", "comma": ","}
ID_TITLES = {
    "accession", "barcode", "ensembl", "ensemblid", "feature", "featureid", "gene", "geneid", "genename",
    "genes", "genesymbol", "hgncsymbol", "id", "idref", "name", "probe", "probeid", "run", "sample",
    "sampleid", "samplename", "samples", "symbol", "targetid",
}  # fmt: skip
ROW_NUMBER_TITLES = {"", "index", "row", "rowname", "rownames", "rownumber", "unnamed", "x"}
_LINES, _BYTES, _CELLS = 40, 1 << 22, 20_000  # looked at, at most
_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+([eE][+-]?\d+)?")
_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+")
Result = TypeVar("Result")
_JOINED = 50  # lines that one cell with line breaks may span


@dataclass(frozen=True)
class TextLayout:
    """A text file's form.

    Attributes
    ----------
    file : TextFile
        Path, delimiter, decimal mark and encoding.
    names : tuple of str
        Of all columns, the first that of the ids ("" for R's row names).
    line : int
        Where the header stands.
    row_names : bool
        R's: the header had one name less than the rows have cells.
    rows : tuple
        (line, cells) of the first rows.
    encoding : str
        Of the file; `file.encoding` is UTF-8 where it is read through another.
    empty : list of int
        Lines of empty cells that :meth:`lines` has passed over.
    """

    file: TextFile
    names: tuple[str, ...]
    line: int
    row_names: bool
    rows: tuple[tuple[int, list[str]], ...]
    encoding: str
    empty: list[int] = field(default_factory=list)

    def said(self) -> str:
        """Return the form in words; after :meth:`lines`, how many rows were empty too."""
        mark = {mark: name for name, mark in DELIMITERS.items()}.get(self.file.delimiter, self.file.delimiter)
        before = f", {self.line - 1} lines before the names" if self.line > 1 else ""
        decimal = "decimal comma, " if self.file.decimal == "," else ""
        empty = f", {len(self.empty)} empty rows passed over" if self.empty else ""
        return f"{mark} between cells, {decimal}{self.encoding}{before}{empty}"

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield (line, bytes) of every row after the header; a cell with line breaks keeps them.

        Blank rows, and rows of empty cells only, are passed over.
        """
        blank = b'" \t\r' + self.file.delimiter.encode()
        waiting: list[tuple[int, bytes]] = []
        with closing(numbered_lines(self.file.path, self.encoding)) as source:
            while True:
                pair = waiting.pop(0) if waiting else next(source, None)
                if pair is None:
                    return
                line, raw = pair
                if line > self.line and raw and not raw.strip(blank):
                    self.empty.append(line)
                if line <= self.line or not raw.strip(blank):
                    continue
                if raw.count(b'"') % 2 and self.file.quoted:
                    raw = self._joined(line, raw, waiting, source)
                yield line, raw

    def cells(self, raw: bytes, line: int) -> list[str]:
        """Return the cells of a row, as many as there are names; raise where it has others."""
        width = len(self.names)
        cells = self.file.cells(raw, line, width)
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            del cells[width:]  # a spreadsheet's empty columns
        if len(cells) == width and not (self.row_names and not cells[-1].strip()):
            return cells
        if len(cells) == width:
            found = "R's row names (line 1 has one name less) and an empty last cell, which shifts the row"
            raise FormatError(f"{self.file.path}, line {line}: {found}; give every column a name")
        raise FormatError(
            f"{self.file.path}, line {line} ({cells[0][:60]!r}): expected {width} cells as in line "
            f"{self.line}, found {len(cells)}; the row was cut short, has a cell too many, or another mark "
            "between its cells (--delimiter)"
        )

    def _joined(self, line: int, raw: bytes, waiting: list, source: Iterator[tuple[int, bytes]]) -> bytes:
        """Return a row whose quoted cell goes on in the next lines, whole; another as it is.

        A stray quote swallows nothing: lines are joined only where none of them is a row by itself.
        """
        mark, width = self.file.delimiter, len(self.names)
        text = self.file.decode(raw, line)
        for count in range(_JOINED):
            while len(waiting) <= count and (pair := next(source, None)):
                waiting.append(pair)
            if len(waiting) <= count:
                break
            more = self.file.decode(waiting[count][1], waiting[count][0])
            if len(split_line(more, mark, -1)) == width:
                break
            text += "\n" + more
            cells = quoted_cells(text, mark)
            if cells is not None and len(cells) == width:
                del waiting[: count + 1]
                return text.encode(self.file.encoding)
        return raw


def read_by_layout(
    path: str | Path,
    read: Callable[[TextLayout], Result],
    *,
    delimiter: str = "",
    decimal: str = "",
    encoding: str = "",
) -> Result:
    """Return what `read` makes of a text file by its layout; by another one where the encoding does not hold.

    Parameters
    ----------
    path : str or Path
    read : callable
        Of a :class:`TextLayout`.
    delimiter : str
        ``comma``, ``tab``, ``semicolon``, ``space`` or the character; found unless told.
    decimal : str
        ``.`` or ``,``; found unless told.
    encoding : str
        As Python calls it. Unless told UTF-8 (UTF-16 where the file says so), else Windows-1252 or Latin-1.

    Raises
    ------
    FormatError
        If the file has no lines, no header, or rows that do not fit it.
    ParameterError
        If an option is none.
    """
    path = require_kind(path, "table")
    marks = told_marks(delimiter, decimal, encoding)
    if is_wide(path, encoding):
        return read(_layout(path, *marks, "utf-8", encoding or "utf-16"))
    *first, last = [encoding] if encoding else ["utf-8", "cp1252", "latin-1"]
    for codec in first:
        with suppress(EncodingError):
            return read(_layout(path, *marks, codec, codec))
    return read(_layout(path, *marks, last, last))


def told_marks(delimiter: str, decimal: str, encoding: str) -> tuple[str, str]:
    """Return the marks that the options name; raise :class:`ParameterError` where one is none."""
    mark = DELIMITERS.get(delimiter, "\t" if delimiter == "\\t" else delimiter)
    if len(mark) > 1 or mark in ('"', "\n", "\r") or (mark and mark.isalnum()):
        raise ParameterError(f"--delimiter {delimiter!r}: comma, tab, semicolon, space or one character")
    point = DECIMALS.get(decimal, decimal)
    if point not in ("", ".", ","):
        raise ParameterError(f"--decimal {decimal!r}: . or ,")
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError:
        raise ParameterError(f"--encoding {encoding}: no such encoding; utf-8, latin-1, ...") from None
    return mark, point


def _layout(path: Path, delimiter: str, decimal: str, codec: str, encoding: str) -> TextLayout:
    file = TextFile(path, encoding=codec, quoted=True)
    start = [(line, file.decode(raw, line)) for line, raw in _first_lines(path, encoding)]
    start = [(line, text) for line, text in start if text.strip()]
    comments = []
    while start and (start[0][1].startswith("#") or _said_mark(start[0][1])):
        delimiter = delimiter or _said_mark(start[0][1])
        comments.append(start.pop(0))
    if not start:
        raise FormatError(f"{path}: the file is empty: nothing but blank lines and comments")
    mark = delimiter or _delimiter(path, [text for _, text in start])
    if comments and _names_in_comment(comments[-1][1], start, mark):
        start.insert(0, (comments[-1][0], comments[-1][1].lstrip("# ")))
    (line, head), *rest = start
    names = [name.strip() for name in split_line(head, mark)]
    while len(names) > 1 and not names[-1]:
        names.pop()
    rest = rest[: max(5, _CELLS // len(names))]
    cells = [(at, split_line(text, mark, 0)) for at, text in rest]
    cells = [(at, row) for at, row in cells if any(map(str.strip, row))]
    row_names = _has_row_names(path, line, names, cells)
    if not row_names and headless(names, [row for _, row in cells]):
        raise FormatError(
            f"{path}, line {line}: expected a header, found what looks like data ({few(names)}); write a "
            "first line with the names of the columns"
        )
    shape = TextFile(path, mark, codec, quoted=True, decimal=decimal or _decimal(path, cells))
    names = ["", *names] if row_names else names
    return TextLayout(shape, tuple(names), line, row_names, tuple(cells), encoding)


def _first_lines(path: Path, encoding: str) -> list[tuple[int, bytes]]:
    found, size = [], 0
    with closing(numbered_lines(path, encoding)) as lines:
        for line, raw in lines:
            found.append((line, raw))
            size += len(raw)
            comment = not raw.strip() or raw.startswith(b"#")
            if (len(found) >= _LINES and not comment) or (size > _BYTES and len(found) > 3):
                break
    return found


def _said_mark(text: str) -> str:
    """Return the mark that a spreadsheet's first line (sep=;) names."""
    found = re.fullmatch(r'"?sep=(.)"?', text.strip("\r\n"))
    return found[1] if found else ""


def _delimiter(path: Path, texts: list[str]) -> str:
    """Return the mark by which the header and the rows have the same number of cells, as many as can be."""
    by_name = {".csv": ",;\t|", ".tsv": "\t,;|"}.get(plain_suffix(path), "\t,;|")
    best, best_fit = by_name[0], (False,) * 5
    for rank, mark in enumerate([*by_name, " "]):
        counts = [len(split_line(text.rstrip(mark + " \t"), mark)) for text in texts]
        head, rows = counts[0], counts[1:] or counts
        usual = max(set(rows), key=lambda one, rows=rows: (rows.count(one), one))
        fits = usual > 1 and abs(head - usual) <= 1 and rows.count(usual) > len(rows) / 2
        fit = (fits, mark != " ", head == usual, usual, -rank)
        if fits and fit > best_fit:
            best, best_fit = mark, fit
    if not best_fit[0]:
        widest = max([*by_name, " "], key=lambda mark: len(split_line(texts[0], mark)))
        best = widest if len(split_line(texts[0], widest)) > 1 else best
    return best


def _names_in_comment(text: str, start: Sequence[tuple[int, str]], mark: str) -> bool:
    """Return whether a comment line holds the names: as many cells as the next line, which is no header."""
    rows = [split_line(one, mark) for _, one in start]
    names = split_line(text.lstrip("# "), mark)
    return len(names) > 1 and len(names) == len(rows[0]) and headless(rows[0], rows[1:])


def headless(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether a first line looks like the rows below it and not like a header."""
    first, others = names[0].strip(), [name.strip() for name in names[1:]]
    shapes = [_shape(row[0]) for row in rows if row]
    if "9" in (own := _shape(first)) and shapes and shapes.count(own) >= 0.8 * len(shapes):
        return True
    if not first or title(first) in ID_TITLES or not others:
        return False
    fractions = sum(bool(_COMMA.fullmatch(one) or _POINT.fullmatch(one)) for one in others)
    whole = [one for one in others if re.fullmatch(r"-?\d+", one)]
    counts = len(whole) > len(others) / 2 and (len(set(whole)) < len(whole) or "0" in whole)
    return fractions > len(others) / 2 or counts


def title(name: str) -> str:
    """Return a column's name as its letters only, in lower case; "-" where it has digits ("sample1")."""
    plain = name.strip().lower()
    with_digits = re.search(r"\d", plain) and not plain.startswith("unnamed")
    return "-" if with_digits else re.sub(r"[^a-z]", "", plain)


def are_row_numbers(ids: Sequence[str]) -> bool:
    """Return whether ids are 0, 1, 2 ... or 1, 2, 3 ..."""
    return bool(ids) and any(list(ids) == [str(start + at) for at in range(len(ids))] for start in (0, 1))


def _shape(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", text.strip()))


def _has_row_names(path: Path, line: int, names: list[str], rows: Sequence[tuple[int, list[str]]]) -> bool:
    """Return whether R's row names stand before the named columns; refuse rows that fit neither way."""
    width = len(names)
    longer = [(at, row) for at, row in rows if any(map(str.strip, row[width:]))]
    if not longer:
        return False
    every = all(len(row) == width + 1 and row[-1].strip() for _, row in rows)
    ids = [row[0].strip() for _, row in rows if row]
    numbers = [one for one in ids if number_in(one, ".") is not None or number_in(one, ",") is not None]
    named = title(names[0]) in ID_TITLES and not all(row[0] == row[1] for _, row in rows)
    if every and (are_row_numbers(ids) or not (numbers or named)):
        return True
    if not every and len(longer) < len(rows) / 2:
        return False  # a few bad rows: the reader names them
    at, row = longer[0]
    raise FormatError(
        f"{path}, line {at}: {len(row)} cells, but line {line} has {width} names ({few(names)}): which "
        "cell has no name? Name every column in the header, or take away the cell too many"
    )


def _decimal(path: Path, rows: Sequence[tuple[int, list[str]]]) -> str:
    commas = points = 0
    sure, first = False, ""
    for line, row in rows:
        for cell in map(str.strip, row[1:]):
            if _COMMA.fullmatch(cell):
                commas += 1
                sure = sure or not _THOUSANDS.fullmatch(cell)
                first = first or f"line {line}: {cell!r}"
            elif "." in cell and _POINT.fullmatch(cell):
                points += 1
    if commas <= points:
        return "."
    if not sure:
        raise FormatError(f"{path}, {first}: a thousand, or a decimal comma? Say --decimal , or --decimal .")
    return ","


def few(names: Sequence[object]) -> str:
    """Return the first three names, none at length."""
    return ", ".join(repr(str(name)[:60]) for name in names[:3]) + (", ..." if len(names) > 3 else "")
