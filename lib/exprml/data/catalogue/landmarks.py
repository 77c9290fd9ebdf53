"""Readers of the data of chen2016 and bhukya2021: expression whose genes are landmarks or targets of D-GEX.

All give samples x genes with ``var["is_landmark"]`` and ``var["is_target"]``; genes that are neither stay.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.data import formats
from exprml.data.catalogue.loading import (
    Paths,
    dgex_maps,
    reading,
    require,
    tcga_paired,
    text_table,
    with_steps,
)

_MAPS = ("landmarks", "targets")


def tcga_landmarks(paths: Paths) -> AnnData:
    """Read the paired TCGA data with D-GEX's marks, without the genes that lack a value.

    Parameters
    ----------
    paths : dict
        The files of tcga-paired by cohort; landmarks and targets of dgex-maps.

    Returns
    -------
    AnnData, 1,204 samples x about 3,340 genes
        log2 values; obs as :func:`~exprml.data.catalogue.loading.tcga_paired`; var: symbol, is_landmark,
        is_target.
    """
    adata = tcga_paired({cohort: path for cohort, path in paths.items() if cohort not in _MAPS})
    gaps = np.isnan(adata.X).any(axis=0)
    steps = [*adata.uns["provenance"]["steps"], f"{int(gaps.sum())} genes with missing values left out"]
    return _marked(with_steps(adata[:, ~gaps].copy(), steps), paths)


def cognoma_landmarks(paths: Paths) -> AnnData:
    """Read Cognoma's subset of TCGA with D-GEX's marks.

    Parameters
    ----------
    paths : dict
        expression (samples x Entrez ids), genes, samples; landmarks and targets of dgex-maps.

    Returns
    -------
    AnnData, 50 tumours x 16,261 genes
        log2 values, by symbol (by Entrez id where a symbol stands twice); obs: patient ("TCGA-xx-xxxx"),
        cohort, tissue (= cohort), sample_type, sex; var: symbol, entrez, is_landmark, is_target.
    """
    adata = formats.read_table(paths["expression"], samples_in="rows")
    genes = text_table(paths["genes"], index="entrez_gene_id", separator="\t")
    samples = text_table(paths["samples"], index="sample_id", separator="\t")
    require(adata.var_names, genes.index, "gene", paths["genes"])
    require(adata.obs_names, samples.index, "sample", paths["samples"])
    symbols = genes.loc[adata.var_names, "symbol"]
    names = symbols.where(~symbols.duplicated(keep=False), symbols.index.to_series())
    adata.var = pd.DataFrame(
        {"symbol": symbols.to_numpy(), "entrez": adata.var_names.to_numpy()},
        index=pd.Index(names, name="gene"),
    )
    about = samples.loc[adata.obs_names]
    adata.obs = pd.DataFrame(
        {
            "patient": about["patient_id"],
            "cohort": about["acronym"],
            "tissue": about["acronym"],
            "sample_type": ["tumour" if name.split("-")[3][:2] != "11" else "normal" for name in about.index],
            "sex": about["gender"].str.lower(),
        }
    ).rename_axis("sample")
    return _marked(with_steps(adata, reading(paths)), paths)


def _marked(adata: AnnData, paths: Paths) -> AnnData:
    maps = dgex_maps({key: paths[key] for key in _MAPS}).var
    for name, wanted in (("is_landmark", True), ("is_target", False)):
        adata.var[name] = (
            adata.var["symbol"].isin(maps.loc[maps["is_landmark"] == wanted, "symbol"]).to_numpy()
        )
    adata.var["is_target"] &= ~adata.var["is_landmark"]
    return adata
