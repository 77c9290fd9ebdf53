"""The reader of a file by what the file is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from anndata import AnnData

from exprml.base.errors import ParameterError, check_known
from exprml.data.formats.gct import read_gct
from exprml.data.formats.gctx import read_gctx
from exprml.data.formats.h5ad import read_h5ad
from exprml.data.formats.rfile import rdata_matrix, read_rdata_matrix
from exprml.data.formats.sniff import file_kind
from exprml.data.formats.table import read_table

_READERS: dict[str, Callable[..., AnnData]] = {
    "gct": read_gct,
    "gctx": read_gctx,
    "h5ad": read_h5ad,
    "rda": read_rdata_matrix,
    "rds": read_rdata_matrix,
    "table": read_table,
}


def read(path: str | Path, **options: Any) -> AnnData:
    """Read any supported file by its content, which must agree with its name.

    Parameters
    ----------
    path : str or Path
        ``.gct``, ``.gctx``, ``.h5ad``, ``.tsv``, ``.csv``, ``.txt`` (each also ``.gz`` where it is text),
        ``.rda``, ``.RData``, ``.rds``.
    **options
        Of the reader: see :func:`read_gct`, :func:`read_gctx`, :func:`read_table`, :func:`rdata_matrix`,
        :func:`read_h5ad`. R data need ``samples_in``.

    Returns
    -------
    AnnData, samples x genes

    Raises
    ------
    FormatError
        If the content is damaged, of an unknown kind, or not what the name claims.
    UnknownNameError
        If the reader has no such option.
    """
    kind = file_kind(path)
    if kind in ("rda", "rds") and "samples_in" not in options:
        raise ParameterError(f"{path}: say where the samples stand: samples_in='rows' or 'columns'")
    check_known(f"option for {kind} files", options, options_of(kind))
    return _READERS[kind](path, **options)


def options_of(kind: str) -> set[str]:
    """Return the names of the options that :func:`read` takes for files of a kind."""
    functions = [_READERS[kind]] + ([rdata_matrix] if kind in ("rda", "rds") else [])
    names = {name for one in functions for name in inspect.signature(one).parameters}
    return names - {"path", "options", "objects", "name"}
