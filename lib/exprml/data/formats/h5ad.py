"""AnnData's own files, checked like the others."""

from __future__ import annotations

from pathlib import Path

import anndata
import h5py
import numpy as np
from anndata import AnnData

from exprml.base.errors import DataError, FormatError
from exprml.data.formats.container import check_choice, check_ids
from exprml.data.formats.sniff import refuse_foreign_links, require_kind


def read_h5ad(path: str | Path, *, missing: str = "keep") -> AnnData:
    """Read an ``.h5ad`` file: unique names, numeric X, missing values counted as in the other readers.

    ``uns["provenance"]`` of the file is kept; only ``missing`` is counted anew.
    """
    check_choice("missing", missing, ("keep", "error"))
    path = require_kind(path, "h5ad")
    with h5py.File(path) as file:
        refuse_foreign_links(file, path)
    try:
        adata = anndata.read_h5ad(path)
    except Exception as error:  # the library raises whatever the content leads it to
        raise FormatError(f"{path}: damaged or no h5ad file ({error}); write it again") from error
    _check(adata, path)
    values = adata.X.data if hasattr(adata.X, "toarray") else np.asarray(adata.X)
    gaps = int(np.isnan(values).sum()) if values.dtype.kind == "f" else 0
    if gaps and missing == "error":
        raise DataError(f"{path}: {gaps} missing values in X; pass missing='keep' and fill or drop them")
    provenance = adata.uns.setdefault("provenance", {"steps": [f"read {path.name}: h5ad"]})
    provenance["missing"] = gaps
    return adata


def _check(adata: AnnData, path: Path) -> None:
    if adata.X is None or 0 in adata.shape:
        raise DataError(f"{path}: empty matrix, {adata.n_obs} samples x {adata.n_vars} genes")
    if adata.X.dtype.kind not in "fiub":
        raise DataError(f"{path}: X holds {adata.X.dtype}, expected numbers")
    for kind, names in (("sample", adata.obs_names), ("gene", adata.var_names)):
        check_ids(list(names), kind, path, lambda i: f"position {i + 1}")
