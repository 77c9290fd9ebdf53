"""Readers of the catalogue's files: each makes AnnData, samples x genes, with the book's columns.

A module for each paper holds the readers of its data. It is imported when an entry names one of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from exprml.base.errors import UnknownNameError
from exprml.data import simulate

if TYPE_CHECKING:
    from anndata import AnnData

    from exprml.data.readers.shared import Paths

_HOME = {
    "cognoma_landmarks": "chen2016",
    "dgex_gtex": "chen2016",
    "dgex_maps": "chen2016",
    "dgex_microarrays": "chen2016",
    "dgex_probes": "chen2016",
    "gene_lengths": "heil2022",
    "geuvadis": "chen2016",
    "gtex_toil": "heil2022",
    "gtex_v8": "heil2022",
    "khan": "small_tumours",
    "l1000_annotation": "mcdermott2020",
    "l1000_compounds": "mcdermott2020",
    "l1000_plates": "chen2016",
    "l1000_profiles": "mcdermott2020",
    "lincs_level4": "mcdermott2020",
    "nci60": "small_tumours",
    "recount3": "heil2022",
    "regulation": "mcdermott2020",
    "studies_twin": "recount2",
    "tcga_landmarks": "chen2016",
    "tcga_paired": "heil2022",
}  # reader -> module of this folder


def module_of(reader: str) -> str:
    """Return the module that a reader, or a simulation called in its place, lives in.

    Raises
    ------
    UnknownNameError
        If there is neither.
    """
    for package, home in ((__name__, _HOME), (simulate.__name__, simulate._HOME)):
        if reader in home:
            return f"{package}.{home[reader]}"
    raise UnknownNameError("reader", reader, [*_HOME, *simulate._HOME], "exprml.data.readers")


def read(reader: str, paths: Paths, **options: Any) -> AnnData:
    """Return what a reader makes of the files, or a simulation without any.

    Parameters
    ----------
    reader : str
        As the entry of the catalogue has it.
    paths : dict
        Key of a file -> its path.
    **options
        Keywords of the reader.
    """
    function = getattr(import_module(module_of(reader)), reader)
    return function(paths, **options) if reader in _HOME else function(**options)
