"""Regulatory graphs: tables of edges between genes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.provenance import with_steps

COLUMNS = ["source", "target", "weight"]


def as_graph(edges: pd.DataFrame, steps: list[str]) -> AnnData:
    """Return edges as data without samples: a gene for each name, the table in ``uns["edges"]``."""
    names = pd.Index(sorted(set(edges["source"]) | set(edges["target"])), name="gene")
    X, obs = np.empty((0, len(names)), np.float32), pd.DataFrame(index=pd.Index([], dtype=str))
    adata = AnnData(X, obs=obs, var=pd.DataFrame({"symbol": names}, index=names))
    adata.uns["edges"] = edges[COLUMNS]
    return with_steps(adata, [*steps, f"{len(edges)} edges between {len(names)} names"])
