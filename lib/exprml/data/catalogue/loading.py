"""From files to AnnData once, then from ``data/prepared``; and the counts a data card shows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exprml.base.errors import DataError, DownloadError, NotAvailableError, check_known
from exprml.base.files import as_json, atomic_path, data_folder, write_text
from exprml.data import readers
from exprml.data.catalogue.entries import Entry, entry
from exprml.data.catalogue.fetching import EVERYWHERE, NEARBY, NOWHERE, fetch
from exprml.data.catalogue.hashing import entry_hash, file_hashes
from exprml.data.catalogue.plan import POLICIES

if TYPE_CHECKING:
    from anndata import AnnData


def load(name: str, *, policy: str | None = None) -> AnnData:
    """Return a data set, read from its files at most once.

    Parameters
    ----------
    name : str
        As in the catalogue (``exprml data list``).
    policy : str, optional
        "simulated" takes real data only if they are on this machine already; else missing files are fetched.

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
    check_known("policy", [policy] if policy else [], POLICIES)
    return _load(entry(name), NOWHERE if policy == "simulated" else EVERYWHERE)


def describe(name: str, *, nearby: bool = True) -> dict[str, Any]:
    """Return the counts of a data set for its card, kept beside the prepared data.

    Nothing is downloaded: if the files are neither in ``data/raw`` nor in a mirror folder, only that is said.

    Parameters
    ----------
    name : str
        As in the catalogue.
    nearby : bool
        Whether a mirror folder may be used.

    Returns
    -------
    dict
        available; if so also n_samples, n_genes, n_groups, minimum, floor_share, maximum, missing,
        constant_genes, classes (label column -> list of label, samples, groups, minimum, floor_share);
        else why.
    """
    found = entry(name)
    sources = NEARBY if nearby else NOWHERE
    kept = _prepared_path(found, ".json")
    if kept.is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    try:
        adata = _load(found, sources)
    except (NotAvailableError, DownloadError) as error:
        return {"available": False, "why": str(error)}
    from exprml.data.catalogue.counting import count

    counts = {"available": True, **count(adata, found.group, found.labels)}
    path = _prepared_path(found, ".json")  # the hash is known only after a first download
    write_text(path, as_json(counts))
    _forget_others(path)
    return counts


def _load(found: Entry, sources: tuple[str, ...]) -> AnnData:
    path = _prepared_path(found)
    if not all(file_hashes(found).values()):
        fetch(found.name, sources=sources)
        path = _prepared_path(found)
    adata = _kept(path)
    if adata is None:
        import numpy as np

        paths = fetch(found.name, sources=sources)
        adata = readers.read(found.reader, paths, **found.options)
        adata.uns["provenance"]["missing"] = int(np.isnan(adata.X).sum())
        if not found.simulated and adata.n_obs:
            with atomic_path(path) as part:
                adata.write_h5ad(part)
            _forget_others(path)
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


def _prepared_path(found: Entry, suffix: str = ".h5ad") -> Path:
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


def _forget_others(path: Path) -> None:
    """Delete what the same data set was prepared as before."""
    name = path.stem[:-12]
    for other in path.parent.glob(f"{name}*{path.suffix}"):
        if other != path and len(other.stem) == len(path.stem):
            other.unlink(missing_ok=True)
