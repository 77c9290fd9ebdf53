"""A data set as a file in a plain format, for people who work with other tools."""

from __future__ import annotations

import gzip
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from exprml.base.errors import DataError, ParameterError, check_known
from exprml.base.files import atomic_path
from exprml.data.catalogue.loading import load

if TYPE_CHECKING:
    from anndata import AnnData

FORMATS = ("csv", "gct", "h5ad")


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
    check_known("format", [fmt], FORMATS)
    path = Path(path) if path else Path(f"{name}.{fmt}")
    endings = [f".{fmt}"] if fmt == "h5ad" else [f".{fmt}", f".{fmt}.gz"]
    if not path.name.lower().endswith(tuple(endings)):
        raise ParameterError(f"{path}: what is written is {fmt}; let the name end in {' or '.join(endings)}")
    if path.is_dir() or (path.exists() and not force):
        raise ParameterError(f"{path} is there already: another name, or --force to replace a file")
    from exprml.data.formats import write_gct

    adata = load(name)
    if not adata.n_obs and fmt == "gct":
        raise DataError(f"{name} has no samples, which GCT cannot hold: choose csv or h5ad")
    {"csv": _write_csv, "gct": write_gct, "h5ad": _write_h5ad}[fmt](adata, path)
    return path


def _write_csv(adata: AnnData, path: Path) -> None:
    from pandas.api.types import is_numeric_dtype as is_numeric

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
