"""From files to AnnData once, then from ``data/prepared``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exprml.base.errors import DataError
from exprml.base.files import atomic_path, data_folder
from exprml.data import readers
from exprml.data.catalogue.entries import Entry, entry
from exprml.data.catalogue.fetching import EVERYWHERE, fetch
from exprml.data.catalogue.hashing import entry_hash, file_hashes

if TYPE_CHECKING:
    from anndata import AnnData


def load(name: str, *, sources: tuple[str, ...] = EVERYWHERE) -> AnnData:
    """Return a data set, read from its files at most once.

    Parameters
    ----------
    name : str
        As in the catalogue (``exprml data list``).
    sources : tuple of str
        Where missing files may come from, as in :func:`exprml.data.catalogue.fetch`.

    Returns
    -------
    AnnData, samples x genes
        float32; `obs` and `var` as the reader in :mod:`exprml.data.readers` says, text columns as plain text;
        ``uns["provenance"]`` with dataset, title, role, units, files, steps and the number of missing values.

    Raises
    ------
    UnknownNameError
        If the catalogue has no such data set.
    NotAvailableError, DownloadError
        If files are missing and cannot be had.
    """
    found = entry(name)
    path = prepared_path(found)
    if not all(file_hashes(found).values()):
        fetch(name, sources=sources)
        path = prepared_path(found)
    adata = _kept(path)
    if adata is None:
        import numpy as np

        paths = fetch(name, sources=sources)
        adata = readers.read(found.reader, paths, **found.options)
        adata.uns["provenance"]["missing"] = int(np.isnan(adata.X).sum())
        if not found.simulated and adata.n_obs:
            with atomic_path(path) as part:
                adata.write_h5ad(part)
            forget_others(path)
    return _finished(adata, found)


def _finished(adata: AnnData, found: Entry) -> AnnData:
    """Return the data with plain text columns and full provenance, the same whether read or kept."""
    for frame in (adata.obs, adata.var):
        for column in frame:
            if frame[column].dtype == "category":
                frame[column] = frame[column].astype(object)
    stored = adata.uns.get("provenance", {})
    adata.uns["provenance"] = {
        "dataset": found.name,
        "title": found.title,
        "role": found.role,
        "units": found.units,
        "files": file_hashes(found),
        "steps": [str(step) for step in stored.get("steps", [])],
        "missing": int(stored.get("missing", 0)),
    }
    return adata


def prepared_path(found: Entry, suffix: str = ".h5ad") -> Path:
    """Return where a data set lies once it was read, or what was counted in it."""
    return data_folder("prepared", f"{found.name}-{entry_hash(found)[:12]}{suffix}")


def _kept(path: Path) -> AnnData | None:
    from exprml.data.formats import read_h5ad

    if not path.is_file():
        return None
    try:
        return read_h5ad(path)
    except DataError:
        path.unlink(missing_ok=True)  # damaged: read the files again
        return None


def forget_others(path: Path) -> None:
    """Delete what the same data set was prepared as before."""
    name = path.stem[:-12]
    for other in path.parent.glob(f"{name}*{path.suffix}"):
        if other != path and len(other.stem) == len(path.stem):
            other.unlink(missing_ok=True)
