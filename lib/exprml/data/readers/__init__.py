"""Readers of the catalogue's files: each makes AnnData, samples x genes, with the book's columns.

A module for each paper holds the readers of its data. It is imported when an entry names one of them.
"""

from __future__ import annotations

from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any

from exprml.base.errors import UnknownNameError
from exprml.base.lazy import by_name
from exprml.data import simulate

if TYPE_CHECKING:
    from anndata import AnnData

    from exprml.data.readers.shared import Paths

_HOME = {  # module of this folder -> its readers
    "chen2016": "cognoma_landmarks dgex_gtex dgex_maps dgex_microarrays dgex_probes "
    "geuvadis l1000_plates tcga_landmarks",
    "heil2022": "gene_lengths gtex_toil gtex_v8 recount3 tcga_paired",
    "mcdermott2020": "l1000_annotation l1000_compounds l1000_profiles lincs_level4 regulation",
    "okeke2023": "morphic_changes tcga_changes",
    "recount2": "studies_twin",
    "small_tumours": "khan nci60",
}


def module_of(reader: str) -> str:
    """Return the module that a reader, or a simulation called in its place, lives in.

    Raises
    ------
    UnknownNameError
        If there is neither.
    """
    homes = {__name__: by_name(_HOME), simulate.__name__: by_name(simulate._HOME)}
    for package, home in homes.items():
        if reader in home:
            return f"{package}.{home[reader]}"
    raise UnknownNameError("reader", reader, chain(*homes.values()), "exprml.data.readers")


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
    module = module_of(reader)
    function = getattr(import_module(module), reader)
    return function(paths, **options) if module.startswith(__name__) else function(**options)
