"""GCT 1.2 and 1.3, plain or gzipped: the text format of GTEx and the Connectivity Map.

A GCT file has genes in rows and samples in columns. Line 1 is the version, line 2 the shape, line 3 the
names; version 1.3 then has one line per field of sample metadata. Format:
https://clue.io/connectopedia/gct_format
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, FormatError, check_known
from exprml.base.files import atomic_path
from exprml.data.formats.container import check_ids, make_adata, require_filled
from exprml.data.formats.guard import check_memory, guarded
from exprml.data.formats.metadata import as_texts, typed_frame
from exprml.data.formats.sniff import require_kind
from exprml.data.formats.text import NumberRow, TextFile, numbered_lines

_BLOCK = 64  # genes turned into columns together: one at a time would touch every page of memory each time
_SIZE = re.compile(r" *[0-9]{1,18} *")  # of genes or samples
Lines = Iterator[tuple[int, bytes]]


@guarded
def read_gct(path: str | Path, *, duplicates: str = "error", encoding: str = "utf-8") -> AnnData:
    """Read a GCT file line by line; the memory used is the result's.

    Parameters
    ----------
    path : str or Path
        ``.gct`` or ``.gct.gz``, version 1.2 or 1.3.
    duplicates : {"error", "sum", "mean", "first"}
        What becomes of genes with one id.
    encoding : str
        Of ids and metadata.

    Returns
    -------
    AnnData, samples x genes
        float32. Row metadata in `var`, column metadata in `obs`, with types found by
        :func:`exprml.data.formats.metadata.typed`; ``-666`` and ``NA`` there are missing. Empty and NaN cells
        are NaN, counted in ``uns["provenance"]["missing"]``.

    Raises
    ------
    FormatError
        If the shape, the version or the packing is not as claimed.
    DataError
        If a cell is no number or an id stands twice.
    """
    path = require_kind(path, "gct")
    with closing(numbered_lines(path)) as lines:
        header = _read_header(TextFile(path, encoding=encoding), lines)
        matrix, (ids, *fields) = _read_body(header, lines, duplicates)
    obs = typed_frame(header.sample_fields, header.samples)
    var = typed_frame(dict(zip(header.gene_fields, fields, strict=True)), ids)
    how = f"GCT {header.version}, {header.n_genes} genes x {len(header.samples)} samples"
    return make_adata(matrix, obs, var, path=path, how=how, duplicates=duplicates)


def write_gct(adata: AnnData, path: str | Path, *, version: str = "1.3") -> None:
    """Write GCT; a name ending in ``.gz`` is packed. The same data give the same bytes.

    Version 1.2 has no room for metadata but ``var["Description"]`` (else ``na``). Numbers are the shortest
    text that reads back to the same float; missing metadata are ``-666``.
    """
    check_known("version", [version], ("1.2", "1.3"))
    path = Path(path)
    _check_writable(adata)
    with atomic_path(path) as part, open(part, "wb") as raw:
        packed = path.name.lower().endswith(".gz")
        target = gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else nullcontext(raw)
        with target as stream:
            _write(adata, stream, version)


@dataclass
class _Header:
    file: TextFile
    version: str
    n_genes: int
    samples: list[str]
    gene_fields: list[str]
    sample_fields: dict[str, list[str]]

    @property
    def lead(self) -> int:
        return 1 + len(self.gene_fields)  # cells before the first number


def _read_header(file: TextFile, lines: Lines) -> _Header:
    version = next(lines)[1].decode("ascii", "replace").strip().removeprefix("#")
    n_genes, n_samples, n_gene_fields, n_sample_fields = _shape(file, version, next(lines, (2, b""))[1])
    line, raw = next(lines, (3, b""))
    names = file.cells(raw, line)
    lead = 1 + n_gene_fields
    _expect_cells(file, line, "the line of names", len(names), lead, n_samples)
    check_ids(names[lead:], "sample", file.path, lambda i: f"line {line}, column {lead + i + 1}")
    fields = _sample_fields(file, lines, lead, n_samples, n_sample_fields)
    _no_name_twice(file, line, "gene", names[1:lead])
    return _Header(file, version, n_genes, names[lead:], names[1:lead], fields)


def _shape(file: TextFile, version: str, raw: bytes) -> tuple[int, int, int, int]:
    expected = {"1.2": "genes, samples", "1.3": "genes, samples, gene fields, sample fields"}
    if version not in expected:
        raise FormatError(f"{file.path}, line 1: expected #1.2 or #1.3, found #{version}")
    cells = file.decode(raw, 2).rstrip("\t ").split("\t")
    if len(cells) != expected[version].count(",") + 1 or not all(_SIZE.fullmatch(cell) for cell in cells):
        raise FormatError(
            f"{file.path}, line 2: GCT {version} expects whole numbers ({expected[version]}) between tabs, "
            f"found {[cell[:30] for cell in cells[:6]]}; correct the line or the version"
        )
    shape = [int(cell) for cell in cells] + ([1, 0] if version == "1.2" else [])
    if 0 in shape[:2]:
        raise FormatError(f"{file.path}, line 2: empty matrix, {shape[0]} genes x {shape[1]} samples")
    return tuple(shape)


def _expect_cells(file: TextFile, line: int, what: str, found: int, lead: int, n_samples: int) -> None:
    if found != lead + n_samples:
        raise FormatError(
            f"{file.path}, line {line} ({what}): line 2 declares {n_samples} samples, so expected "
            f"{lead + n_samples} cells, found {found}; correct line 2 or fetch the file again"
        )


def _no_name_twice(file: TextFile, line: int, kind: str, names: list[str]) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{file.path}, line {line}: {kind} field {twice!r} stands twice; rename one")


def _sample_fields(file: TextFile, lines: Lines, lead: int, n_samples: int, n_fields: int) -> dict:
    fields: dict[str, list[str]] = {}
    for expected_line in range(4, 4 + n_fields):
        line, raw = next(lines, (expected_line, b""))
        cells = file.cells(raw, line)
        _expect_cells(file, line, f"sample field {cells[0]!r}", len(cells), lead, n_samples)
        _no_name_twice(file, line, "sample", [*fields, cells[0]])
        fields[cells[0]] = cells[lead:]
    return fields


def _read_body(header: _Header, lines: Lines, duplicates: str) -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Return the values (samples x genes), then the ids and every field of the genes.

    Genes come as rows and go into columns, a block at a time.
    """
    path, shape = header.file.path, (len(header.samples), header.n_genes)
    check_memory(f"{path}, line 2", 4 * shape[0] * shape[1], f"{shape[1]} genes x {shape[0]} samples")
    matrix, at, leading, rows = np.empty(shape, np.float32), [], [], _rows(header, lines)
    while block := list(islice(rows, _BLOCK)):
        places, cells, values = zip(*block, strict=True)
        matrix[:, len(at) : len(at) + len(block)] = np.transpose(values)
        at += places
        leading += cells
    if len(at) != header.n_genes:
        raise FormatError(
            f"{path}: line 2 declares {header.n_genes} genes, the file ends after {len(at)}; "
            "it was cut short (fetch it again) or line 2 is wrong"
        )
    columns = list(zip(*leading, strict=True))
    check_ids(columns[0], "gene", path, lambda i: f"line {at[i]}", duplicates=duplicates)
    return matrix, columns


def _rows(header: _Header, lines: Lines) -> Iterator[tuple[int, list[str], np.ndarray]]:
    """Yield line, id with fields, and values of each gene."""
    file, lead, n_samples = header.file, header.lead, len(header.samples)
    positions, filled = range(lead + 1, lead + 1 + n_samples), (one for one in lines if one[1].strip())
    for count, (line, raw) in enumerate(filled):  # an empty last line is none
        parts = raw.split(b"\t", lead)
        leading = [file.decode(part, line) for part in parts[:lead]]
        if count == header.n_genes:
            raise FormatError(
                f"{file.path}, line {line}: line 2 declares {header.n_genes} genes, but another follows "
                f"({leading[0]!r}); correct line 2"
            )
        found = lead + parts[-1].count(b"\t") + 1 if len(parts) > lead else len(parts)
        _expect_cells(file, line, f"gene {leading[0]!r}", found, lead, n_samples)
        row = NumberRow(file, line, f"gene {leading[0]!r}", "sample", header.samples, positions)
        yield line, leading, row.parse(parts[-1])


def _check_writable(adata: AnnData) -> None:
    require_filled(adata)
    for kind, frame in (("sample", adata.obs), ("gene", adata.var)):
        as_texts(pd.Series([*frame.index, *frame.columns], name=f"{kind} names"), "AnnData")
        check_ids(list(frame.index), kind, Path("AnnData"), lambda i: f"position {i + 1}")


def _write_line(stream: IO[bytes], cells: list[str]) -> None:
    stream.write("\t".join(cells).encode() + b"\n")


def _write(adata: AnnData, stream: IO[bytes], version: str) -> None:
    """Write the header of a version with its metadata, then the rows."""
    shape, titles = [adata.n_vars, adata.n_obs], ["id", *map(str, adata.var)]
    if version == "1.3":
        gene_fields = [as_texts(adata.var[name], "var") for name in adata.var]
        shape += [len(gene_fields), adata.obs.shape[1]]
    else:
        described, titles = "Description" in adata.var, ["Name", "Description"]
        gene_fields = [as_texts(adata.var["Description"], "var") if described else ["na"] * adata.n_vars]
    _write_line(stream, [f"#{version}"])
    _write_line(stream, list(map(str, shape)))
    _write_line(stream, [*titles, *adata.obs_names])
    for name in adata.obs if version == "1.3" else []:
        _write_line(stream, [str(name), *["na"] * len(gene_fields), *as_texts(adata.obs[name], "obs")])
    _write_rows(adata, stream, gene_fields)


def _write_rows(adata: AnnData, stream: IO[bytes], gene_fields: list[list[str]]) -> None:
    for start in range(0, adata.n_vars, _BLOCK):
        block = adata.X[:, start : start + _BLOCK]
        block = np.asarray(block.toarray() if hasattr(block, "toarray") else block)
        for gene, values in enumerate(np.ascontiguousarray(block.T), start):
            leading = [adata.var_names[gene], *(texts[gene] for texts in gene_fields)]
            _write_line(stream, [*leading, *map(str, values)])
