"""What the makers of data share: profiles of low rank, swings of mean zero, a floor, the provenance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import ParameterError
from exprml.base.provenance import note_step


def detection_floor(
    X: np.ndarray, *, share: float | None = None, level: float | None = None, floor: float | None = None
) -> np.ndarray:
    """Return `X` with values below a detection level set to the floor.

    Parameters
    ----------
    X : ndarray
        Values on a log scale.
    share : float, optional
        Choose the level so that this share of all values lies below it; 0 changes nothing.
    level : float, optional
        The level itself; give `share` or `level`.
    floor : float, optional
        What undetected values become; default: the level.
    """
    if (share is None) == (level is None):
        raise ParameterError("give either share or level")
    if share == 0:
        return X.copy()
    level = float(np.quantile(X, share)) if level is None else level
    return np.where(level > X, level if floor is None else floor, X).astype(X.dtype)


def low_rank(generator: np.random.Generator, n_rows: int, n_genes: int, rank: int = 8) -> np.ndarray:
    """Return profiles over genes (rows x genes) that share `rank` programmes of genes."""
    return generator.standard_normal((n_rows, rank)) @ generator.standard_normal((rank, n_genes))


def swings(
    generator: np.random.Generator, tissue: np.ndarray, n_tissues: int, n_genes: int, n_modules: int = 5
) -> np.ndarray:
    """Return +-1 for the marker genes of each sample's tissue, one coin per sample and module, else 0."""
    values = np.zeros((len(tissue), n_genes))
    n_markers = max(1, n_genes // 25)
    for code in range(n_tissues):
        markers = generator.permutation(n_genes)[:n_markers]
        direction = generator.choice([-1, 1], n_markers)
        rows = np.flatnonzero(tissue == code)
        coins = generator.choice([-1, 1], (len(rows), n_modules))
        values[np.ix_(rows, markers)] = coins[:, np.arange(n_markers) % n_modules] * direction
    return values


def table_of_genes(n_genes: int, first: int = 1, *, by: str = "id") -> pd.DataFrame:
    """Return `var` of made genes by id or by symbol: the same number is the same gene in every twin."""
    numbers = range(first, first + n_genes)
    symbols = [f"SIM{number}" for number in numbers]
    names = symbols if by == "symbol" else [f"ENSGSIM{number:09d}.1" for number in numbers]
    return pd.DataFrame({"symbol": symbols, "simulated": True}, index=pd.Index(names, name="gene"))


def made(X: np.ndarray, obs: pd.DataFrame, var: pd.DataFrame, step: str) -> AnnData:
    """Return made data as float32, with how they were made in the provenance."""
    return note_step(AnnData(X.astype(np.float32, copy=False), obs=obs, var=var), f"simulated: {step}")
