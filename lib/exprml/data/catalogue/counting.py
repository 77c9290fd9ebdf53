"""Counts of a data set: samples, groups and the floor, in all and class by class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

_BLOCK = 512  # samples looked at together, so that a table of gigabytes is not copied


def count(adata: AnnData, group: str, labels: Iterable[str]) -> dict[str, Any]:
    """Return the counts of :func:`exprml.data.catalogue.describe`.

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
        **floor(adata.X),
        "classes": {column: _classes(adata, adata.obs[column], groups) for column in labels},
    }


def floor(values: np.ndarray) -> dict[str, Any]:
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
            **floor(adata.X[rows]),
        }
        for label, rows in sorted(labels.groupby(labels.to_numpy()).indices.items())
    ]
