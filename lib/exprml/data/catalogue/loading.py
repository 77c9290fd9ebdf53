"""Readers of the catalogue: from the files of an entry to AnnData with the book's columns.

Tissue data have obs: tissue, donor, sex ("male", "female" or ""), cell_line (its name, "" for tissue),
detailed_category. Gene ids stand without version in the index; ``var["ensembl_version"]`` keeps it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError
from exprml.base.gene_ids import without_version
from exprml.data import formats

Paths = Mapping[str, Path]
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
    phenotype = text_table(paths["phenotype"], index="sample")
    require(adata.obs_names, phenotype.index, "sample", paths["phenotype"])
    about = phenotype.loc[adata.obs_names]
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
    attributes = text_table(paths["attributes"], index="SAMPID", separator="\t")
    require(adata.obs_names, attributes.index, "sample", paths["attributes"])
    about = attributes.loc[adata.obs_names]
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


def dgex_maps(paths: Paths) -> AnnData:
    """Read D-GEX's lists of genes: no samples, only `var`.

    Parameters
    ----------
    paths : dict
        landmarks, targets: symbol, Ensembl id and probe, tab-separated, no header.

    Returns
    -------
    AnnData, 0 samples x 10,463 genes
        By Affymetrix probe (symbols repeat); var: symbol, ensembl, is_landmark.
    """
    parts = []
    for key in ("landmarks", "targets"):
        table = pd.read_csv(paths[key], sep="\t", header=None, dtype=str, keep_default_na=False)
        if table.shape[1] != 3:
            raise DataError(
                f"{paths[key].name}: {table.shape[1]} columns, expected symbol, Ensembl id, probe"
            )
        parts.append(
            table.set_axis(["symbol", "ensembl", "probe"], axis=1).assign(is_landmark=key == "landmarks")
        )
    var = pd.concat(parts).set_index("probe")
    adata = AnnData(np.empty((0, len(var)), np.float32), var=var)
    return with_steps(adata, reading(paths))


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


def studies_twin(paths: Paths, **options: Any) -> AnnData:
    """Make the twin of many studies: see :func:`exprml.data.simulate.studies_twin`.

    Parameters
    ----------
    paths : dict
        labels, runs: the label tables of recount2 (R data or their text conversion), from which the structure
        comes; without files the structure is made too.
    options : dict
        Keywords of the simulation.
    """
    from exprml.data import simulate

    adata = simulate.studies_twin(recount2_structure(paths) if paths else None, **options)
    steps = adata.uns["provenance"]["steps"]
    adata.uns["provenance"]["steps"] = [*(f"structure: {one}" for one in reading(paths)), *steps]
    return adata


def recount2_structure(paths: Paths) -> pd.DataFrame:
    """Return which runs of the Sequence Read Archive belong to which study and tissue, by recount2's tables.

    Parameters
    ----------
    paths : dict
        labels (tissue and sex of each run), runs (study of each run); each as R data or text.

    Returns
    -------
    DataFrame
        By run: study, tissue (as reported; runs without are left out), sex (as reported, else as recount2
        predicts it from expression: "male", "female" or "").
    """
    columns = ["sample_id", "dataset", "reported_tissue", "reported_sex", "predicted_sex"]
    labels = formats.read_r_frame(paths["labels"], "PredictedPhenotypes", columns).replace("NA", "")
    runs = formats.read_r_frame(paths["runs"], "metadata_clean", ["run", "project"])
    labels = labels[(labels["dataset"] == "sra") & (labels["reported_tissue"] != "")].set_index("sample_id")
    study = runs.set_index("run")["project"]
    require(labels.index, study.index, "run", paths["runs"])
    reported = labels["reported_sex"].str.lower().replace({"m": "male", "f": "female"})
    sex = reported.where(reported.isin(["male", "female"]), labels["predicted_sex"])
    return pd.DataFrame(
        {
            "study": study.loc[labels.index],
            "tissue": labels["reported_tissue"],
            "sex": sex.where(sex.isin(["male", "female"]), ""),
        }
    ).rename_axis("run")


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


def text_table(path: Path, *, index: str, separator: str = ",") -> pd.DataFrame:
    """Return a table of texts by one of its columns, whose values must be unique.

    Quotes mean nothing where tabs separate: GTEx's notes of pathologists hold stray ones.
    """
    quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
    table = pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, quoting=quoting)
    if index not in table:
        raise DataError(f"{path.name}: no column {index!r}, only {', '.join(map(str, table.columns[:8]))}")
    table = table.set_index(index)
    if table.index.has_duplicates:
        raise DataError(
            f"{path.name}: {table.index[table.index.duplicated()][0]!r} stands twice in {index!r}"
        )
    return table


def require(ids: pd.Index, known: pd.Index, kind: str, path: Path) -> None:
    """Raise if some of the ids are not known to the file at `path`."""
    absent = ids.difference(known)
    if len(absent):
        raise DataError(f"{path.name}: {len(absent)} of {len(ids)} {kind}s are not in it, as {absent[0]!r}")


def reading(paths: Paths) -> list[str]:
    """Return what was read, by the same names whether a copy is gzipped or not."""
    return [f"read {path.name.removesuffix('.gz')}" for path in paths.values()]


def with_steps(adata: AnnData, steps: list[str]) -> AnnData:
    """Write the steps and the number of missing values into the provenance."""
    adata.uns["provenance"] = {"steps": steps, "missing": int(np.isnan(adata.X).sum())}
    return adata
