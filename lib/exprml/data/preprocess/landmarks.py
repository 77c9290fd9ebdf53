"""Landmark and target genes of D-GEX: from probes to genes, and found again in another data set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, require_columns
from exprml.base.gene_ids import without_version
from exprml.base.provenance import note_step
from exprml.data.preprocess.scaling import row_blocks

_COLUMNS = ("symbol", "ensembl", "probe", "is_landmark")
_KEYS = ("probe", "ensembl", "symbol")  # in this order where two join equally many genes


def probes_to_genes(adata: AnnData, genes: pd.DataFrame) -> AnnData:
    """Return one column for each gene: the mean of its probes (chen2016, public code).

    Parameters
    ----------
    adata : AnnData, samples x probes
        Probes by name; units are kept (the paper averages logarithms).
    genes : DataFrame
        Columns symbol, ensembl, probe (several separated by commas), is_landmark; or, as in the data set
        ``dgex-maps``, probe as the index.

    Returns
    -------
    AnnData, samples x genes
        By Ensembl id, in the order of `genes`; a target whose gene is a landmark too, by another probe, ends
        in ":target". var: symbol, is_landmark, is_target, n_probes. Genes without a probe in `adata` are left
        out; how many, and how many lack some of theirs, is noted in the steps.

    Raises
    ------
    DataError
        If a column is missing, a probe is listed for two genes or stands twice in `adata`, an Ensembl id
        repeats among landmarks or among targets, or no probe is found.
    """
    genes = _gene_table(genes)
    listed = _exploded(genes, "probe")
    _refuse_repeats(listed.index, "probe", "the list of genes")
    _refuse_repeats(adata.var_names, "probe", "the data")
    both = ~genes["is_landmark"] & genes["ensembl"].isin(genes.loc[genes["is_landmark"], "ensembl"])
    genes["ensembl"] += both.map({True: ":target", False: ""})
    _refuse_repeats(genes["ensembl"], "Ensembl id", "the list of genes")
    found = listed[listed.index.isin(adata.var_names)].sort_values("row", kind="stable")
    if found.empty:
        raise DataError(_no_match("probes", adata.var_names, listed.index))
    rows, starts, counts = np.unique(found["row"], return_index=True, return_counts=True)
    columns = adata.var_names.get_indexer(found.index)
    X = np.asarray(adata.X)
    result = np.empty((len(X), len(rows)), dtype=X.dtype if X.dtype.kind == "f" else np.float32)
    for block in row_blocks(X):
        sums = np.add.reduceat(X[block][:, columns].astype(np.float64), starts, axis=1)
        result[block] = sums / counts
    var = genes.iloc[rows].set_index("ensembl")[["symbol", "is_landmark"]]
    var = var.assign(is_target=~var["is_landmark"], n_probes=counts)
    averaged = AnnData(result, obs=adata.obs.copy(), var=var, uns=dict(adata.uns))
    short = int((counts < listed.groupby("row").size().to_numpy()[rows]).sum())
    return note_step(
        averaged,
        f"mean of the probes of each gene: {len(rows)} of {len(genes)} listed genes, from {len(found)} of "
        f"{adata.n_vars} probes; {short} genes lack some of their probes",
    )


def mark_landmarks(adata: AnnData, genes: pd.DataFrame) -> AnnData:
    """Mark which genes of a data set are D-GEX's landmarks and targets (chen2016, public code).

    The genes are joined by probe, by Ensembl id without version or by symbol, whichever finds most of the
    list; names are looked up in ``var_names`` and in columns of `var` called probe, ensembl, symbol.

    Parameters
    ----------
    adata : AnnData
        Samples x genes.
    genes : DataFrame
        As in `probes_to_genes`.

    Returns
    -------
    AnnData
        A copy; var gets is_landmark and is_target (bool, never both). Of genes that stand twice in the data
        the first is taken, as in the paper. A gene listed as landmark and as target is a landmark: 445 genes
        of the paper are both, by one probe and by the mean of their others, and only probes tell them apart.
        Both are counted in the step noted in ``uns["provenance"]``.

    Raises
    ------
    DataError
        If a column is missing, or nothing or no landmark is found.
    """
    genes = _gene_table(genes)
    join = max((_join(adata, genes, key) for key in _KEYS), key=lambda one: one.n_found)
    if not join.n_found:
        raise DataError(_no_match("genes", adata.var_names, genes["symbol"]))
    if not join.is_landmark.any():
        raise DataError(f"{join.n_found} targets are found by {join.key}, but none of the landmarks")
    marked = adata.copy()
    marked.var["is_landmark"], marked.var["is_target"] = join.is_landmark, join.is_target
    return note_step(marked, join.step)


class _Join(NamedTuple):
    """What one way of naming genes finds."""

    key: str
    n_found: int
    is_landmark: np.ndarray
    is_target: np.ndarray
    step: str


def _join(adata: AnnData, genes: pd.DataFrame, key: str) -> _Join:
    """Join the list to the data by `key`, looked up in the names and in the column called so."""
    listed = _exploded(genes, key)
    roles = listed["is_landmark"].groupby(level=0).agg(["max", "min"])
    role, unclear = roles["max"], roles.index[roles["max"] & ~roles["min"]]
    names = [adata.var_names.to_series(), *([adata.var[key]] if key in adata.var else [])]
    names = max((_without_version(one, key) for one in names), key=lambda one: one.isin(role.index).sum())
    known = names.isin(role.index).to_numpy()
    first = known & ~names.duplicated().to_numpy()
    is_landmark = first & names.map(role).eq(True).to_numpy()
    taken = listed["is_landmark"] == role.reindex(listed.index)
    found = listed[taken & listed.index.isin(names)].groupby("is_landmark")["row"].nunique()
    totals = genes["is_landmark"].value_counts()
    counted = [f"{found.get(one, 0)} of {totals.get(one, 0)}" for one in (True, False)]
    step = f"joined to D-GEX's genes by {key}: {counted[0]} landmarks and {counted[1]} targets found"
    repeated, both = int((known & ~first).sum()), int(names[first].isin(unclear).sum())
    step += f"; {repeated} columns repeat a name, the first is taken" if repeated else ""
    step += f"; {both} are listed as landmark and as target, taken as landmark" if both else ""
    return _Join(key, int(found.sum()), is_landmark, first & ~is_landmark, step)


def _without_version(names: pd.Series, key: str) -> pd.Series:
    """Return names as text, Ensembl ids without version."""
    names = names.astype(object).fillna("").astype(str)
    return pd.Series(without_version(names), names.index) if key == "ensembl" else names


def _exploded(genes: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return one row for each name of a gene under `key`: index the name; columns row, is_landmark."""
    names = _without_version(genes[key], key)
    table = pd.DataFrame({"name": names.str.split(",") if key == "probe" else names})
    table = table.assign(row=np.arange(len(genes)), is_landmark=genes["is_landmark"]).explode("name")
    table["name"] = table["name"].str.strip()
    return table[table["name"] != ""].set_index("name")


def _gene_table(genes: pd.DataFrame) -> pd.DataFrame:
    """Return the list of genes with its four columns and a plain index."""
    genes = genes.reset_index() if genes.index.name in _COLUMNS else genes.reset_index(drop=True)
    require_columns(genes, _COLUMNS, "the list of genes")
    return genes.assign(is_landmark=genes["is_landmark"].astype(bool))


def _refuse_repeats(names: pd.Index | pd.Series, kind: str, where: str) -> None:
    """Raise if a name stands twice."""
    repeated = names[names.duplicated()].unique()
    if len(repeated):
        raise DataError(f"{len(repeated)} {kind}s stand twice in {where}, e.g. {repeated[0]!r}")


def _no_match(what: str, here: pd.Index, listed: pd.Index | pd.Series) -> str:
    """Return why a join found nothing, with examples of both sides."""
    examples = [", ".join(map(repr, list(names)[:3])) for names in (here, listed)]
    return f"none of the listed {what} is in the data: it names {examples[0]}; the list names {examples[1]}"
