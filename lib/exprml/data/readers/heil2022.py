"""Readers of the data of heil2022.

Tissue data have obs: tissue, donor, sex ("male", "female" or ""), cell_line (its name, "" for tissue),
detailed_category. Gene ids stand without version in the index; ``var["ensembl_version"]`` keeps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError
from exprml.base.gene_ids import without_version
from exprml.base.provenance import with_steps
from exprml.data import formats
from exprml.data.readers.shared import Paths, reading, require, rows_for, text_table

_CELL_LINE = "Cells - "


def gtex_toil(paths: Paths) -> AnnData:
    """Read GTEx (Toil): the training and test part of the R file joined, labels of the phenotype table added.

    Parameters
    ----------
    paths : dict
        expression (R data), phenotype (CSV), symbols (CSV).

    Returns
    -------
    AnnData, 3,797 samples x 1,000 genes
        log2(TPM + 0.001); obs also has upstream_split ("train" or "test").
    """
    objects = formats.read_rdata(paths["expression"])
    parts = [_toil_part(objects, split, paths["expression"]) for split in ("train", "test")]
    if not parts[0].var_names.equals(parts[1].var_names):
        raise DataError(f"{paths['expression'].name}: X_train and X_test have different genes")
    obs = pd.concat([part.obs for part in parts])
    adata = AnnData(np.vstack([part.X for part in parts]), obs=obs, var=parts[0].var)
    about = rows_for(adata.obs_names, "sample", paths["phenotype"], index="sample")
    _add_tissue_columns(adata, about["detailed_category"])
    adata.obs["sex"] = about["_gender"].str.lower().where(about["_gender"].isin(["Male", "Female"]), "")
    _name_genes(adata, _symbols(paths["symbols"]))
    steps = ["X_train and X_test joined", "donor: first two tokens of the sample id; K-562 is one donor"]
    steps += ["sex and detailed category from the phenotype table", "symbols by Ensembl id without version"]
    return with_steps(adata, reading(paths) + steps)


def gtex_v8(paths: Paths) -> AnnData:
    """Read GTEx v8 as the portal gives it: GCT of TPM, sample attributes, subjects.

    Parameters
    ----------
    paths : dict
        expression (GCT), attributes and subjects (tab-separated).

    Returns
    -------
    AnnData, 17,382 samples x 56,200 genes
        TPM. The tissue is SMTS, the detailed category SMTSD (heil2022, Methods); the sex is the subject's.
    """
    adata = formats.read_gct(paths["expression"])
    about = rows_for(adata.obs_names, "sample", paths["attributes"], index="SAMPID", separator="\t")
    adata.obs["tissue"] = about["SMTS"]
    _add_tissue_columns(adata, about["SMTSD"])
    adata.obs["sex"] = _subject_sexes(paths["subjects"], adata.obs["donor"])
    described = adata.var["Description"].astype(str) if "Description" in adata.var else pd.Series(dtype=str)
    symbols = dict(zip(without_version(described.index), described, strict=True))
    adata.var = adata.var.drop(columns=["Description"], errors="ignore")
    _name_genes(adata, symbols)
    steps = reading(paths)
    steps += ["tissue: SMTS; donor: second token of the sample id, as GTEX-...", "sex: SEX of the subject"]
    return with_steps(adata, steps)


def tcga_paired(paths: Paths) -> AnnData:
    """Read the paired tumours and normal tissues of TCGA: eleven R matrices, the genes common to all.

    Parameters
    ----------
    paths : dict
        Cohort (BRCA, ...) -> R data.

    Returns
    -------
    AnnData, 1,204 samples x 3,556 genes
        log2 values with the missing ones as NaN; obs: patient, cohort, tissue (= cohort), sample_type
        ("tumour" or "normal"), plate, centre.
    """
    parts = [_cohort(path, cohort) for cohort, path in paths.items()]
    common = set(parts[0].var_names).intersection(*(part.var_names for part in parts[1:]))
    genes = [gene for gene in parts[0].var_names if gene in common]
    X = np.vstack([part[:, genes].X for part in parts])
    var = pd.DataFrame({"symbol": genes}, index=pd.Index(genes, name="gene"))
    adata = AnnData(X, obs=pd.concat([part.obs for part in parts]), var=var)
    adata.obs.index.name = "sample"
    steps = reading(paths)
    return with_steps(adata, [*steps, f"the {len(genes)} genes common to all {len(parts)} cohorts kept"])


def recount3(paths: Paths) -> AnnData:
    """Read the labelled samples of the store that ``exprml data build recount3`` makes.

    Parameters
    ----------
    paths : dict
        store (h5ad).

    Returns
    -------
    AnnData, samples with a tissue or a sex x chosen genes
        TPM scaled to [0, 1]; obs: study, type, tissue, sex ("" where not known); ``uns["audit"]`` counts what
        the filters left out. The other samples stay in the store: together they do not fit into memory.
    """
    import anndata

    store = anndata.read_h5ad(paths["store"], backed="r")
    try:
        adata = store[((store.obs["tissue"] != "") | (store.obs["sex"] != "")).to_numpy()].to_memory()
        total = store.n_obs
    finally:
        store.file.close()
    adata.X = np.asarray(adata.X, dtype=np.float32)
    steps = [*map(str, adata.uns["provenance"]["steps"]), f"{adata.n_obs} labelled of {total} samples"]
    return with_steps(adata, steps)


def gene_lengths(paths: Paths) -> AnnData:
    """Read the lengths of human genes: no samples, only `var`.

    Parameters
    ----------
    paths : dict
        genes (R data, or its conversion to text).

    Returns
    -------
    AnnData, 0 samples x genes
        By Ensembl id; var: symbol, length (bases in exons; of several Entrez genes with one id the longest).
    """
    columns = ["gene_id", "length", "symbol", "ensembl_id"]
    table = formats.read_r_frame(paths["genes"], "hs_gene_length", columns)
    table["length"] = table["length"].astype(float)
    table = table.sort_values("length", ascending=False, kind="stable").drop_duplicates("ensembl_id")
    var = table.sort_index().set_index("ensembl_id").rename_axis("gene")[["symbol", "length"]]
    return with_steps(AnnData(np.empty((0, len(var)), np.float32), var=var), ["read the lengths of genes"])


def _toil_part(objects: dict[str, Any], split: str, path: Path) -> AnnData:
    part = formats.rdata_matrix(objects, f"gtex_v8$X_{split}", samples_in="rows", path=path)
    labels = formats.rdata_object(objects, f"gtex_v8$y_{split}", path=path)
    if len(labels) != part.n_obs:
        raise DataError(f"{path.name}: {len(labels)} labels in y_{split} for {part.n_obs} samples")
    part.obs["tissue"] = [str(label) for label in labels]
    part.obs["upstream_split"] = split
    return part


def _cohort(path: Path, cohort: str) -> AnnData:
    part = formats.rdata_matrix(formats.read_rdata(path), cohort, samples_in="columns", path=path)
    barcodes = part.obs_names.str.replace(".", "-", regex=False)
    tokens = [barcode.split("-") for barcode in barcodes]
    kinds = {"01": "tumour", "11": "normal"}
    for barcode, token in zip(barcodes, tokens, strict=True):
        if len(token) < 7 or token[3][:2] not in kinds:
            raise DataError(f"{path.name}: {barcode!r} is no barcode of a primary tumour or normal tissue")
    part.obs = pd.DataFrame(
        {
            "patient": ["-".join(token[:3]) for token in tokens],
            "cohort": cohort,
            "tissue": cohort,
            "sample_type": [kinds[token[3][:2]] for token in tokens],
            "plate": [token[5] for token in tokens],
            "centre": [token[6] for token in tokens],
        },
        index=barcodes,
    )
    return part


def _add_tissue_columns(adata: AnnData, detailed: pd.Series) -> None:
    ids = adata.obs_names.to_series()
    adata.obs["donor"] = ids.str.split("-").str[:2].str.join("-")
    adata.obs["detailed_category"] = detailed
    cells = detailed.str.startswith(_CELL_LINE)
    adata.obs["cell_line"] = detailed.str.removeprefix(_CELL_LINE).where(cells, "")
    adata.obs.loc[adata.obs["donor"] == "K-562", "cell_line"] = "K-562"
    adata.obs.index.name = "sample"


def _subject_sexes(path: Path, donors: pd.Series) -> list[str]:
    """Return the sex of every sample's donor; "" for one that the table lacks, as the cell line K-562."""
    sexes = text_table(path, index="SUBJID", separator="\t")["SEX"].map({"1": "male", "2": "female"})
    require(pd.Index(donors[donors.str.startswith("GTEX-")].unique()), sexes.index, "subject", path)
    return donors.map(sexes).fillna("").tolist()


def _name_genes(adata: AnnData, symbols: Mapping[str, str]) -> None:
    versions = adata.var_names
    plain = pd.Index(without_version(versions), name="gene")
    if plain.has_duplicates:
        raise DataError(f"Ensembl id {plain[plain.duplicated()][0]!r} stands twice, apart from its version")
    adata.var["ensembl_version"] = versions
    adata.var["symbol"] = [symbols.get(gene, "") for gene in plain]
    adata.var_names = plain


def _symbols(path: Path) -> dict[str, str]:
    table = text_table(path, index="gene_id")
    return dict(zip(without_version(table.index), table["symbol"], strict=True))
