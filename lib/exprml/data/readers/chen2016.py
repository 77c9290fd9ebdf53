"""Readers of the data of chen2016 and bhukya2021: expression whose genes are landmarks or targets of D-GEX.

All give samples x genes with ``var["is_landmark"]`` and ``var["is_target"]``; genes that are neither stay.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError
from exprml.base.gene_ids import without_version
from exprml.base.provenance import with_steps
from exprml.data import formats
from exprml.data.preprocess import mark_landmarks, probes_to_genes
from exprml.data.readers.heil2022 import tcga_paired
from exprml.data.readers.shared import Paths, listed, reading, rows_for

_MAPS = ("landmarks", "targets")


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


def tcga_landmarks(paths: Paths) -> AnnData:
    """Read the paired TCGA data with D-GEX's marks, without the genes that lack a value.

    Parameters
    ----------
    paths : dict
        The files of tcga-paired by cohort; landmarks and targets of dgex-maps.

    Returns
    -------
    AnnData, 1,204 samples x about 3,340 genes
        log2 values; obs as :func:`~exprml.data.readers.heil2022.tcga_paired`; var: symbol, is_landmark,
        is_target.
    """
    adata = tcga_paired({cohort: path for cohort, path in paths.items() if cohort not in _MAPS})
    gaps = np.isnan(adata.X).any(axis=0)
    steps = [*adata.uns["provenance"]["steps"], f"{int(gaps.sum())} genes with missing values left out"]
    return mark_landmarks(with_steps(adata[:, ~gaps].copy(), steps), _maps(paths))


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
    genes = rows_for(adata.var_names, "gene", paths["genes"], index="entrez_gene_id", separator="\t")
    about = rows_for(adata.obs_names, "sample", paths["samples"], index="sample_id", separator="\t")
    symbols = genes["symbol"]
    names = symbols.where(~symbols.duplicated(keep=False), symbols.index.to_series())
    adata.var = pd.DataFrame(
        {"symbol": symbols.to_numpy(), "entrez": adata.var_names.to_numpy()},
        index=pd.Index(names, name="gene"),
    )
    adata.obs = pd.DataFrame(
        {
            "patient": about["patient_id"],
            "cohort": about["acronym"],
            "tissue": about["acronym"],
            "sample_type": ["tumour" if name.split("-")[3][:2] != "11" else "normal" for name in about.index],
            "sex": about["gender"].str.lower(),
        }
    ).rename_axis("sample")
    return mark_landmarks(with_steps(adata, reading(paths)), _maps(paths))


def dgex_microarrays(paths: Paths, *, n_samples: int | None = None) -> AnnData:
    """Read a GCTX file of probes as D-GEX has them, block by block: a gene is the mean of its probes.

    Only the probes of the listed genes are read, 1,000 samples at a time; what grows is the result. All of
    129,158 samples x 10,463 genes are 5.4 GB as float32, where 22,268 probes would be 11.5 GB.

    Parameters
    ----------
    paths : dict
        expression (GCTX, samples x Affymetrix probes); landmarks and targets of dgex-maps.
    n_samples : int, optional
        Only so many samples, spread evenly over the file.

    Returns
    -------
    AnnData, samples x genes
        By Ensembl id, with ":target" where the landmark of the same gene has that name (445 genes are both,
        by other probes); obs: what the file has, and patient (the sample's id: the file knows neither donors
        nor series); var: symbol, is_landmark, is_target, n_probes.
    """
    genes = _maps(paths).reset_index()
    obs, var = formats.read_gctx_metadata(paths["expression"])
    listed = {probe.strip() for probes in genes["probe"] for probe in probes.split(",")}
    columns = np.flatnonzero(var.index.isin(listed))
    rows = np.linspace(0, len(obs) - 1, min(n_samples or len(obs), len(obs))).astype(int)
    probes = AnnData(np.empty((0, len(columns)), np.float32), var=pd.DataFrame(index=var.index[columns]))
    known = probes_to_genes(probes, genes)
    X = np.empty((len(rows), known.n_vars), np.float32)
    start = 0
    for block in formats.gctx_blocks(paths["expression"], rows=rows, columns=columns):
        X[start : start + len(block)] = probes_to_genes(AnnData(block, var=probes.var), genes).X
        start += len(block)
    total = len(obs)
    obs = obs.iloc[rows].assign(patient=lambda about: about.index.astype(str)).rename_axis("sample")
    steps = [*reading(paths), f"{len(rows)} of {total} samples", *known.uns["provenance"]["steps"]]
    return with_steps(AnnData(X, obs=obs, var=known.var.rename_axis("gene")), steps)


def dgex_probes(paths: Paths) -> AnnData:
    """Read a GCTX file of probes as it is: what L1000 measures are landmarks, every other probe is a target.

    Parameters
    ----------
    paths : dict
        expression (GCTX, samples x Affymetrix probes); landmarks and targets of dgex-maps.

    Returns
    -------
    AnnData, 129,158 samples x 22,268 probes
        The 978 landmarks first, then 21,290 targets, by probe: what chen2016 retrained its network on for
        L1000. obs as in :func:`dgex_microarrays`; var: symbol ("" of a probe of no list), is_landmark,
        is_target. 11.5 GB as float32.
    """
    names = formats.read_gctx_metadata(paths["expression"])[1].index
    genes, unlisted = _maps(paths), listed("unlisted_landmarks.yml")
    symbols = {
        probe: row.symbol for row in genes.itertuples() for probe in row.Index.replace(" ", "").split(",")
    } | unlisted
    landmark = names.isin([*genes.index[genes["is_landmark"]], *unlisted])
    if landmark.all() or not landmark.any():
        raise DataError(f"{paths['expression'].name}: {landmark.sum()} landmark probes of {len(names)}")
    adata = formats.read_gctx(paths["expression"], genes=[*names[landmark], *names[~landmark]])
    adata.obs = adata.obs.assign(patient=adata.obs_names.astype(str)).rename_axis("sample")
    adata.var = pd.DataFrame(
        {"symbol": [symbols.get(name, "") for name in adata.var_names]}, index=adata.var_names.rename("probe")
    ).assign(is_landmark=np.arange(adata.n_vars) < landmark.sum())
    adata.var["is_target"] = ~adata.var["is_landmark"]
    steps = [*reading(paths), f"{landmark.sum()} probes are landmarks of L1000, all others targets"]
    return with_steps(adata, steps)


def dgex_gtex(paths: Paths) -> AnnData:
    """Read D-GEX's GTEx: the genes of its lists alone, from a GCTX of all.

    Parameters
    ----------
    paths : dict
        expression (GCTX, samples x Ensembl ids with version); landmarks and targets of dgex-maps.

    Returns
    -------
    AnnData, 2,921 samples x genes
        RPKM; obs: what the file has, and patient ("GTEX-..."); genes as in :func:`geuvadis`.
    """
    names = formats.read_gctx_metadata(paths["expression"])[1].index
    wanted = names[pd.Index(without_version(names)).isin(_genes(paths)["ensembl"])]
    adata = formats.read_gctx(paths["expression"], genes=list(wanted))
    donors = adata.obs_names.str.split("-").str[:2].str.join("-")
    adata.obs = adata.obs.assign(patient=donors.to_numpy()).rename_axis("sample")
    return _as_listed(adata, paths)


def geuvadis(paths: Paths) -> AnnData:
    """Read the expression of E-GEUV-1, the 1000 Genomes of chen2016 and bhukya2021.

    Parameters
    ----------
    paths : dict
        expression (text: TargetID, Gene_Symbol, Chr, Coord, then the samples); landmarks and targets of
        dgex-maps.

    Returns
    -------
    AnnData, 462 samples x genes
        RPKM; obs: patient (the individual: one sample of each), tissue. The genes are those of D-GEX's lists
        that the file has, in their order and by Ensembl id, as in :func:`dgex_microarrays`; var: symbol,
        ensembl, is_landmark, is_target. A gene that is landmark and target (by other probes) stands twice,
        with the same values: so it does in the paper, where such a target is nothing to infer.
    """
    about = ["Gene_Symbol", "Chr", "Coord"]
    adata = formats.read_table(paths["expression"], samples_in="columns", metadata_columns=about)
    obs = {"patient": adata.obs_names, "tissue": "lymphoblastoid cell line"}
    adata.obs = pd.DataFrame(obs, index=adata.obs_names).rename_axis("sample")
    return _as_listed(adata, paths)


def _as_listed(adata: AnnData, paths: Paths) -> AnnData:
    """Return the genes of D-GEX's lists, each the first column of its Ensembl id (chen2016, public code)."""
    genes, names = _genes(paths), pd.Index(without_version(adata.var_names))
    first = pd.Series(np.arange(adata.n_vars), names)[~names.duplicated()]
    genes = genes[genes["ensembl"].isin(first.index)].drop(columns="probe")
    if not len(genes):
        raise DataError(f"{paths['expression'].name}: no Ensembl id of D-GEX's lists, as {names[0]!r}")
    X = adata.X[:, first.loc[genes["ensembl"]].to_numpy()]
    twice = int(genes["ensembl"].duplicated().sum())
    steps = [*reading(paths), f"{len(genes)} genes of D-GEX's lists found; {twice} are landmark and target"]
    return with_steps(AnnData(X, obs=adata.obs, var=genes.assign(is_target=~genes["is_landmark"])), steps)


def l1000_plates(paths: Paths) -> AnnData:
    """Read level-3 plates of L1000 (GCT), one below the other.

    Parameters
    ----------
    paths : dict
        One file for each plate, all with the same genes.

    Returns
    -------
    AnnData, wells x 978 landmarks
        Quantile-normalised log2 values, by Affymetrix probe; obs: plate, well, cell_line, perturbagen (name),
        perturbagen_id, kind ("vehicle", "positive control" or "compound"), dose (micromolar, 0 for the
        vehicle), is_control (the vehicle), hours; var: symbol, entrez, bead (two genes share one),
        is_landmark, is_target.
    """
    plates = [_plate(path) for path in paths.values()]
    names = plates[0].var_names
    for plate, path in zip(plates, paths.values(), strict=True):
        if set(plate.var_names) != set(names):
            raise DataError(f"{path.name}: other genes than {next(iter(paths.values())).name}")
    obs = pd.concat([plate.obs for plate in plates])
    X = np.vstack([plate[:, names].X for plate in plates])
    return with_steps(AnnData(X, obs=obs, var=plates[0].var), reading(paths))


_KINDS = {"ctl_vehicle": "vehicle", "trt_poscon": "positive control", "trt_cp": "compound"}


def _plate(path: Path) -> AnnData:
    plate = formats.read_gct(path)
    about, genes = plate.obs, plate.var
    unknown = [kind for kind in about["pert_type"].unique() if kind not in _KINDS]
    if unknown:
        raise DataError(f"{path.name}: pert_type {unknown[0]!r}, expected {', '.join(_KINDS)}")
    plate.obs = pd.DataFrame(
        {
            "plate": about["det_plate"],
            "well": about["det_well"],
            "cell_line": about["cell_id"],
            "perturbagen": about["pert_iname"],
            "perturbagen_id": about["pert_id"],
            "kind": about["pert_type"].map(_KINDS),
            "dose": about["pert_dose"].astype(float).fillna(0.0),
            "is_control": about["pert_type"] == "ctl_vehicle",
            "hours": about["pert_time"].astype(float),
        }
    ).rename_axis("sample")
    plate.var = pd.DataFrame(
        {
            "symbol": genes["pr_gene_symbol"],
            "entrez": genes["pr_gene_id"].astype(str),
            "bead": genes["pr_analyte_id"],
            "is_landmark": genes["pr_is_lmark"] == 1,
            "is_target": False,
        }
    ).rename_axis("gene")
    return plate


def _maps(paths: Paths) -> pd.DataFrame:
    return dgex_maps({key: paths[key] for key in _MAPS}).var


def _genes(paths: Paths) -> pd.DataFrame:
    """Return D-GEX's lists by a name for each row: the Ensembl id, of a landmark's target with ":target"."""
    genes = _maps(paths).reset_index()
    names = genes["ensembl"].where(~genes["ensembl"].duplicated(), genes["ensembl"] + ":target")
    return genes.set_index(pd.Index(names, name="gene"))
