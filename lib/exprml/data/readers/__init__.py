"""Readers of the catalogue's files: each makes AnnData, samples x genes, with the book's columns.

A module for each paper holds the readers of its data. It is imported when an entry names one of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anndata import AnnData

    from exprml.data.readers.shared import Paths


def module_of(reader: str) -> str:
    """Return the module that a reader, or a simulation called in its place, lives in."""
    return f"exprml.data.{reader.rpartition('.')[0]}"


def read(reader: str, paths: Paths, **options: Any) -> AnnData:
    """Return what a reader makes of the files, or a simulation without any.

    Parameters
    ----------
    reader : str
        As the entry of the catalogue has it: ``readers.chen2016.geuvadis``, ``simulate.tcga.tcga_twin``.
    paths : dict
        Key of a file -> its path.
    **options
        Keywords of the reader.
    """
    function = getattr(import_module(module_of(reader)), reader.rpartition(".")[2])
    return function(paths, **options) if reader.startswith("readers.") else function(**options)
