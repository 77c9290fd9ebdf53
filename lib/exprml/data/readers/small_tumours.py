"""Readers of small published tumour sets from the days of spotted arrays: few samples, no names of genes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy.sparse.csgraph import connected_components

from exprml.base.errors import DataError
from exprml.base.provenance import with_steps
from exprml.data.readers.shared import Paths, reading

# The package has numbers. The paper's Methods count 8 BL, 23 EWS, 12 NB and 20 RMS among the 63 training
# samples; the numbers stand there 8, 23, 12 and 20 times, so only this order fits.
_KHAN = ("Burkitt lymphoma", "Ewing sarcoma", "neuroblastoma", "rhabdomyosarcoma")
_COPY = {"khan": 0.95, "nci60": 0.8}  # correlation of two arrays; all other pairs: at most 0.91 and 0.76
_LINES = {"K562": "LEUKEMIA", "MCF7": "BREAST"}  # the lines whose repeats the labels name


def khan(paths: Paths) -> AnnData:
    """Read the small round blue-cell tumours: the package's training and test part joined.

    Parameters
    ----------
    paths : dict
        training, test (CSV, a column a gene), training_types, test_types (CSV, a number a sample).

    Returns
    -------
    AnnData, 83 samples x 2,308 genes
        Natural logarithms of relative intensities; obs: specimen (one name for arrays that are copies of each
        other), tissue (the type of tumour), upstream_split ("training" or "test").
    """
    parts = [_khan_part(paths, split) for split in ("training", "test")]
    values, obs = np.vstack([part[0] for part in parts]), pd.concat([part[1] for part in parts])
    obs["specimen"] = [f"specimen {number + 1:02d}" for number in _copies(values, _COPY["khan"])]
    adata = _with_genes(values, obs[["specimen", "tissue", "upstream_split"]])
    steps = ["training and test joined", "types named by the paper's counts of the four numbers"]
    return with_steps(adata, [*reading(paths), *steps, _merged(obs["specimen"], "specimen", _COPY["khan"])])


def nci60(paths: Paths) -> AnnData:
    """Read the cell lines of the NCI60 panel.

    Parameters
    ----------
    paths : dict
        expression (an array of NumPy, a row a sample), types (CSV, column label).

    Returns
    -------
    AnnData, 64 samples x 6,830 genes
        Log ratios; obs: cell_line (one name for the repeats of a line), tissue (cancer of the line), label
        (as in the file).
    """
    try:
        values = np.load(paths["expression"], allow_pickle=False)
    except ValueError as error:
        raise DataError(f"{paths['expression'].name}: no plain array of numbers ({error})") from error
    labels = pd.read_csv(paths["types"], dtype=str, keep_default_na=False)["label"]
    _check_shape(values, len(labels), paths["expression"])
    repeats = labels.str.extract(r"^(\w+)[A-Z]-repro$")[0]
    obs = pd.DataFrame({"label": labels.to_numpy()}, index=[f"array-{n + 1:02d}" for n in range(len(labels))])
    obs["tissue"] = repeats.map(_LINES).fillna(labels).str.lower().to_numpy()
    lines = [f"line {number + 1:02d}" for number in _copies(values, _COPY["nci60"])]
    obs["cell_line"] = lines
    for line, name in zip(lines, repeats, strict=True):
        if name in _LINES:
            obs.loc[obs["cell_line"] == line, "cell_line"] = name
    adata = _with_genes(values, obs[["cell_line", "tissue", "label"]])
    return with_steps(adata, [*reading(paths), _merged(obs["cell_line"], "line", _COPY["nci60"])])


def _khan_part(paths: Paths, split: str) -> tuple[np.ndarray, pd.DataFrame]:
    values = pd.read_csv(paths[split]).to_numpy(dtype=np.float32)
    types = pd.read_csv(paths[f"{split}_types"])["x"]
    _check_shape(values, len(types), paths[split])
    if not types.isin(range(1, len(_KHAN) + 1)).all():
        name = paths[f"{split}_types"].name
        raise DataError(f"{name}: types {sorted(set(types))}, expected 1 to {len(_KHAN)}")
    obs = pd.DataFrame(
        {"tissue": [_KHAN[number - 1] for number in types], "upstream_split": split},
        index=[f"{split}-{n + 1:02d}" for n in range(len(types))],
    )
    return values, obs


def _check_shape(values: np.ndarray, n_labels: int, path: Path) -> None:
    if values.ndim != 2 or len(values) != n_labels:
        raise DataError(f"{path.name}: an array of {values.shape} for {n_labels} labels")


def _copies(values: np.ndarray, least: float) -> np.ndarray:
    """Return a number for each sample, the same for those that correlate by at least `least`."""
    return connected_components(np.corrcoef(values) >= least, directed=False)[1]


def _merged(names: pd.Series, word: str, least: float) -> str:
    several = names.value_counts().loc[lambda counts: counts > 1]
    counts = f"{len(several)} of {names.nunique()} have several"
    return f"arrays that correlate by {least} or more are one {word}: {counts}"


def _with_genes(values: np.ndarray, obs: pd.DataFrame) -> AnnData:
    names = pd.Index([f"gene-{n + 1:04d}" for n in range(values.shape[1])], name="gene")
    obs.index.name = "sample"
    return AnnData(np.asarray(values, np.float32), obs=obs, var=pd.DataFrame(index=names))
