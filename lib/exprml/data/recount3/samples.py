"""One project's gene sums, turned round on the disk, and its samples through the paper's filters.

A file has genes in lines and samples in columns; it never lies in memory as a whole.
"""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from exprml.base.errors import FormatError

FILTERS = (
    "id seen before",
    "malformed",
    "no metadata",
    "no predicted type",  # in the paper's code only: it asks for the length of a missing value and passes on
    "sparse or single cell",
    "no TPM",
)
SPARSE = 0.75  # share of genes without a read, above which a sample is left out
SINGLE_CELL = "scrna-seq"
CELLS = 2_000_000  # of a slice held at once: tens of megabytes
_GZIP = (EOFError, OSError, zlib.error)


class GeneSums:
    """The sums of one project, samples x genes, in a file without name.

    Attributes
    ----------
    samples : list of str
        As in the header; an id may stand twice.
    malformed : ndarray of bool, shape (samples,)
        Whether a cell of the sample is no number >= 0.
    """

    def __init__(self, samples: list[str], n_genes: int, file: IO[bytes]) -> None:
        self.samples = samples
        self.malformed = np.zeros(len(samples), dtype=bool)
        self._n_genes = n_genes
        self._file = file

    def add(self, first: int, values: np.ndarray) -> None:
        """Take the genes from position `first` on: genes x samples."""
        self.malformed |= ~(np.isfinite(values) & (values >= 0)).all(axis=0)
        for sample, column in enumerate(values.T.astype(np.float32)):
            self._file.seek(4 * (sample * self._n_genes + first))
            self._file.write(column.tobytes())

    def rows(self, wanted: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions of some wanted samples and their sums, samples x genes."""
        step = max(1, CELLS // self._n_genes)
        for part in (wanted[start : start + step] for start in range(0, len(wanted), step)):
            rows = np.empty((len(part), self._n_genes), np.float32)
            for row, sample in zip(rows, part, strict=True):
                self._file.seek(4 * int(sample) * self._n_genes)
                row[:] = np.frombuffer(self._file.read(4 * self._n_genes), np.float32)
            yield part, rows


@contextmanager
def gene_sums(path: Path, genes: list[str]) -> Iterator[GeneSums]:
    """Open the gene sums of a project.

    Parameters
    ----------
    path : Path
        gzip; lines that start with ``##``, a header ``gene_id`` and the samples, one line a gene.
    genes : list of str
        As the annotation has them: the file must have the same in the same order.

    Raises
    ------
    FormatError
        If the file is cut short or has no such header, other genes or lines that are too long.
    """
    header, skip = _header(path)
    with tempfile.TemporaryFile(dir=path.parent) as file:
        yield _turned(path, header, skip, genes, file)


def _turned(path: Path, header: list[str], skip: int, genes: list[str], file: IO[bytes]) -> GeneSums:
    sums, first = GeneSums(header[1:], len(genes), file), 0
    try:
        for ids, values in _slices(path, len(header), skip):
            _check_genes(path, ids, genes, first)
            sums.add(first, values)
            first += len(ids)
    except (pd.errors.ParserError, *_GZIP) as error:
        raise FormatError(f"{path.name}: damaged after gene {first} ({error}); fetch it again") from error
    if first != len(genes):
        raise FormatError(f"{path.name}: {first} genes, the annotation has {len(genes)}; fetch it again")
    return sums


def _header(path: Path) -> tuple[list[str], int]:
    """Return the cells of the header and how many lines go before the first gene."""
    line, skip = "##", 0
    try:
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            while line.startswith("##"):
                line, skip = stream.readline(), skip + 1
    except (*_GZIP, UnicodeDecodeError) as error:
        raise FormatError(f"{path.name}: no gzip file of gene sums ({error}); fetch it again") from error
    cells = line.rstrip("\r\n").split("\t")
    if cells[0] != "gene_id" or len(cells) < 2:
        raise FormatError(f"{path.name}: expected a header 'gene_id' and samples, found {line[:60]!r}")
    return cells, skip


def _slices(path: Path, width: int, skip: int) -> Iterator[tuple[list[str], np.ndarray]]:
    """Yield gene ids and values of some lines; cells that are no numbers become NaN."""
    options = {"sep": "\t", "header": None, "names": range(width), "index_col": False, "skiprows": skip}
    options |= {"chunksize": max(1, CELLS // width), "compression": "gzip", "quoting": 3, "dtype": {0: str}}
    with pd.read_csv(path, **options) as reader:
        for part in reader:
            values = part.drop(columns=0)
            odd = values.columns[[one.kind in "Ob" for one in values.dtypes]]  # pandas takes True for a truth
            values[odd] = values[odd].astype(str).apply(pd.to_numeric, errors="coerce")
            yield part[0].astype(str).tolist(), values.to_numpy(np.float64)


def _check_genes(path: Path, ids: list[str], genes: list[str], first: int) -> None:
    for position, (found, expected) in enumerate(zip(ids, genes[first : first + len(ids)], strict=False)):
        if found != expected:
            raise FormatError(f"{path.name}: gene {first + position + 1} is {found!r}, expected {expected!r}")
    if first + len(ids) > len(genes):
        raise FormatError(f"{path.name}: more genes than the {len(genes)} of the annotation")


def transcripts_per_million(rows: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return TPM of the genes with a length (samples x genes, float64), and which samples have one.

    Parameters
    ----------
    rows : ndarray, shape (samples, genes of the file)
    lengths : ndarray, shape (genes of the file,)
        Bases; NaN where unknown.
    """
    known = ~np.isnan(lengths)
    rates = rows[:, known].astype(np.float64) / lengths[known]
    totals = rates.sum(axis=1, keepdims=True)
    return rates * (1e6 / np.where(totals > 0, totals, 1)), totals[:, 0] > 0


class Project:
    """The samples of one project that pass all filters but the last two, which need the counts.

    Attributes
    ----------
    seen : list of str
        All its ids that were new.
    audit : dict
        samples, the filters, kept: counts.
    kept : list of str
        Filled by :meth:`tpm`, in order.
    """

    def __init__(self, sums: GeneSums, metadata: pd.DataFrame, seen: set[str]) -> None:
        self._sums, self.metadata = sums, metadata
        self.audit = dict.fromkeys(("samples", *FILTERS, "kept"), 0) | {"samples": len(sums.samples)}
        self.seen: list[str] = []
        self.kept: list[str] = []
        self._left = np.array([i for i, one in enumerate(sums.samples) if self._passes(i, one, seen)], int)

    def tpm(self, lengths: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield TPM of the genes with a length (samples x genes, float64) and which samples have one."""
        for positions, rows in self._sums.rows(self._left):
            dense = self._dense(positions, rows)
            values, usable = transcripts_per_million(rows[dense], lengths)
            self.audit["no TPM"] += int((~usable).sum())
            ids = [self._sums.samples[one] for one in positions[dense][usable]]
            self.kept += ids
            self.audit["kept"] += len(ids)
            yield values, usable

    def _passes(self, position: int, name: str, seen: set[str]) -> bool:
        why = self._refused(position, name, seen)
        if why != "id seen before":
            seen.add(name)
            self.seen.append(name)
        if why:
            self.audit[why] += 1
        return not why

    def _refused(self, position: int, name: str, seen: set[str]) -> str:
        if name in seen:
            return "id seen before"
        if self._sums.malformed[position]:
            return "malformed"
        if name not in self.metadata.index:
            return "no metadata"
        return "" if self.metadata.at[name, "type"] else "no predicted type"

    def _dense(self, positions: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return which samples are neither sparse, over all genes of the file, nor single cells."""
        types = self.metadata.loc[[self._sums.samples[one] for one in positions], "type"].to_numpy()
        dense = ((rows == 0).mean(axis=1) <= SPARSE) & (types != SINGLE_CELL)
        self.audit["sparse or single cell"] += int((~dense).sum())
        return dense
