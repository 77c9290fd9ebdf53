"""What is here of the data sets: files compared with their hashes, values counted, sets written as files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData
from pandas.api.types import is_numeric_dtype as is_numeric

from exprml.base.errors import DataError, DownloadError, NotAvailableError, ParameterError, check_known
from exprml.base.files import as_json, atomic_path, write_text
from exprml.data import catalogue
from exprml.data.catalogue.checking import check
from exprml.data.catalogue.fetching import in_raw
from exprml.data.catalogue.loading import forget_others, prepared_path
from exprml.data.formats import write_gct

_NEARBY = ("folder",)  # a mirror that is a folder: nothing crosses the network
_BLOCK = 512  # samples looked at together, so that a table of gigabytes is not copied


def verify(name: str | None = None) -> list[dict[str, str]]:
    """Return for each file of one or all data sets whether it is right, wrong, missing or unchecked.

    Returns
    -------
    list of dict
        With keys dataset, file, state and detail.
    """
    entries = map(catalogue.entry, [name] if name else catalogue.names())
    return [_verify_file(found, file) for found in entries for file in found.files]


def _verify_file(found: catalogue.Entry, file: catalogue.DataFile) -> dict[str, Any]:
    form, path = next(in_raw(file), (file, None))
    state, detail = "missing", "not fetched yet"
    if path is not None:
        try:
            state, detail = "right", check(form, path, "data/raw")
        except DownloadError as error:
            state, detail = "wrong", str(error)
    return {"dataset": found.name, "file": form.path, "state": state, "detail": detail}


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
    found = catalogue.entry(name)
    kept = prepared_path(found, ".json")
    if kept.is_file():
        return json.loads(kept.read_text(encoding="utf-8"))
    try:
        adata = catalogue.load(name, sources=_NEARBY if nearby else ())
    except (NotAvailableError, DownloadError) as error:
        return {"available": False, "why": str(error)}
    counts = {"available": True, **_count(adata, found.group, found.labels)}
    path = prepared_path(found, ".json")  # the hash is known only after a first download
    write_text(path, as_json(counts))
    forget_others(path)
    return counts


def _count(adata: AnnData, group: str, labels: Iterable[str]) -> dict[str, Any]:
    """Return the counts of :func:`describe`.

    Parameters
    ----------
    adata : AnnData, samples x genes
    group : str
        Column of `obs`; "" if there is none.
    labels : iterable of str
        Columns of `obs` whose classes are counted.
    """
    groups = adata.obs[group] if group else pd.Series(dtype=object)
    return {
        "n_samples": adata.n_obs,
        "n_genes": adata.n_vars,
        "n_groups": int(groups.nunique()),
        "constant_genes": int((np.ptp(adata.X, axis=0) == 0).sum()) if adata.n_obs else 0,
        **_floor(adata.X),
        "classes": {column: _classes(adata, adata.obs[column], groups) for column in labels},
    }


def _floor(values: np.ndarray) -> dict[str, Any]:
    """Return minimum, share of the values there, maximum, and how many are missing."""
    if not values.size:
        return {"minimum": None, "floor_share": None, "maximum": None, "missing": 0}
    blocks = [values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK)]
    low = min(np.nanmin(block) for block in blocks)
    n_missing = sum(int(np.isnan(block).sum()) for block in blocks)
    at_floor = sum(int((block == low).sum()) for block in blocks)
    return {
        "minimum": round(float(low), 4),
        "floor_share": round(at_floor / max(1, values.size - n_missing), 4),
        "maximum": round(float(max(np.nanmax(block) for block in blocks)), 4),
        "missing": n_missing,
    }


def _classes(adata: AnnData, labels: pd.Series, groups: pd.Series) -> list[dict[str, Any]]:
    return [
        {
            "label": str(label),
            "samples": len(rows),
            "groups": int(groups.iloc[rows].nunique()),
            **_floor(adata.X[rows]),
        }
        for label, rows in sorted(labels.groupby(labels.to_numpy()).indices.items())
    ]


def export(name: str, fmt: str, path: str | Path | None = None, *, force: bool = False) -> Path:
    """Write a data set to one file.

    Parameters
    ----------
    name : str
        As in the catalogue.
    fmt : str
        csv (UTF-8; samples in rows: id, metadata, genes; data without samples: the table of genes), gct
        (version 1.3), h5ad.
    path : str or Path, optional
        Where to; ``<name>.<fmt>`` in the working folder unless told. ``.gz`` packs csv and gct.
    force : bool
        Replace a file that is there.

    Returns
    -------
    pathlib.Path
        Where it lies.

    Raises
    ------
    ParameterError
        If the file is there already, or its name says another format.
    """
    check_known("format", [fmt], _WRITERS)
    path = Path(path) if path else Path(f"{name}.{fmt}")
    endings = [f".{fmt}"] if fmt == "h5ad" else [f".{fmt}", f".{fmt}.gz"]
    if not path.name.lower().endswith(tuple(endings)):
        raise ParameterError(f"{path}: what is written is {fmt}; let the name end in {' or '.join(endings)}")
    if path.is_dir() or (path.exists() and not force):
        raise ParameterError(f"{path} is there already: another name, or --force to replace a file")
    adata = catalogue.load(name)
    if not adata.n_obs and fmt == "gct":
        raise DataError(f"{name} has no samples, which GCT cannot hold: choose csv or h5ad")
    _WRITERS[fmt](adata, path)
    return path


def _write_csv(adata: AnnData, path: Path) -> None:
    frame = adata.to_df() if adata.n_obs else adata.var
    columns = adata.obs.columns if adata.n_obs else []
    # numbers before words: so they are told from genes when the table is read back
    for position, column in enumerate(sorted(columns, key=lambda one: not is_numeric(adata.obs[one]))):
        frame.insert(position, column, adata.obs[column])
    with atomic_path(path) as part, open(part, "wb") as raw:
        packed = path.suffix == ".gz"
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else nullcontext(raw) as stream:
            frame.to_csv(stream, index_label=frame.index.name or "sample")


def _write_h5ad(adata: AnnData, path: Path) -> None:
    provenance = adata.uns["provenance"]
    files = [f"{file} {digest}" for file, digest in provenance["files"].items()]  # "/" splits keys in HDF5
    adata.uns["provenance"] = {**provenance, "files": files}
    with atomic_path(path) as part:
        adata.write_h5ad(part)


_WRITERS = {"csv": _write_csv, "gct": write_gct, "h5ad": _write_h5ad}
