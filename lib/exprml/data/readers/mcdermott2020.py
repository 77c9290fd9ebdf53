"""Readers of the data of mcdermott2020: L1000 profiles of perturbed cells, and edges of regulation.

Profiles are samples x landmark genes by symbol; their `obs` has, where the file knows it: plate, well,
cell_line, site and subtype (of the line), perturbagen, perturbagen_id, kind, moa, dose (micromolar, 0 of
controls), hours, is_control. A text that the file does not know ("-666") is "". `moa` is the mechanism of a
compound that the Drug Repurposing Hub gives exactly one, "DMSO" of the vehicle, "" of all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from anndata import AnnData

from exprml.base.errors import DataError, ParameterError, require_columns
from exprml.data import formats
from exprml.data.readers.shared import Paths, listed, reading, require, rows_for, text_table
from exprml.data.regulation import COLUMNS as COLUMNS_OF_EDGES
from exprml.data.regulation import as_graph

KINDS = {
    "ctl_vehicle": "vehicle",
    "ctl_vector": "vector",
    "ctl_untrt": "untreated",
    "trt_poscon": "positive control",
    "trt_cp": "compound",
    "trt_sh": "knock-down",
}
_CONTROLS = ["vehicle", "vector", "untreated"]
COLUMNS = {"rna_plate": "plate", "rna_well": "well", "cell_id": "cell_line", "pert_iname": "perturbagen"}
COLUMNS |= {"pert_id": "perturbagen_id", "pert_type": "kind", "pert_dose": "dose", "pert_time": "hours"}
VIEWS = ("full", "prostate")
_AT_ONCE = 2_000_000  # edges, some 300 MB


def l1000_annotation(paths: Paths) -> AnnData:
    """Read the landmark genes of L1000: no samples, only `var`.

    Parameters
    ----------
    paths : dict
        genes (GSE92742's table of genes).

    Returns
    -------
    AnnData, 0 samples x 978 landmarks
        By symbol; var: symbol, entrez, title.
    """
    var = _landmarks(paths)
    none = pd.DataFrame(index=pd.Index([], dtype=str))
    return _profiles(np.empty((0, len(var)), np.float32), none, var, reading(paths))


def l1000_compounds(paths: Paths) -> AnnData:
    """Read consensus signatures of compounds, one each, with two sources of mechanisms.

    Parameters
    ----------
    paths : dict
        expression (DrugBank ids x Entrez ids), drugs (names by DrugBank id), compounds (LINCS's table with
        DrugBank ids, as R data or text); genes, hub.

    Returns
    -------
    AnnData, 1,170 compounds x 978 landmarks
        Consensus z; obs: perturbagen ("" where no name is known), perturbagen_id (DrugBank), moa (from the
        Repurposing Hub, by name), moa_by_id (from LINCS's table, by DrugBank id; lower case, "" if several).
    """
    adata = formats.read_table(paths["expression"], samples_in="rows")
    drugs = pd.read_csv(paths["drugs"], sep="\t", dtype=str).drop_duplicates("drugbank_id")
    columns = ["DrugBank_ID", "pert_iname", "MOA"]
    listed = formats.read_r_frame(paths["compounds"], "lincs_pert_info", columns)
    listed = listed[listed["DrugBank_ID"] != ""].drop_duplicates("DrugBank_ID").set_index("DrugBank_ID")
    names = drugs.set_index("drugbank_id")["drugbank_name"].reindex(adata.obs_names)
    names = names.fillna(listed["pert_iname"].reindex(adata.obs_names)).fillna("")
    by_id = listed["MOA"].reindex(adata.obs_names).fillna("")
    obs = pd.DataFrame({"perturbagen": names, "perturbagen_id": adata.obs_names, "kind": "compound"})
    obs["moa"] = _mechanisms(obs, paths["hub"])
    obs["moa_by_id"] = by_id.str.lower().where(~by_id.str.contains(",|;|\\|"), "")
    return _profiles(adata.X, obs, _landmarks(paths), reading(paths), names=adata.var_names)


def l1000_knockdowns(paths: Paths) -> AnnData:
    """Read a plate of knock-downs as the package cmapR keeps it: an R object of class GCT.

    Parameters
    ----------
    paths : dict
        expression (R data; Entrez ids); genes, hub.

    Returns
    -------
    AnnData, wells x landmarks
        Plate z-scores; cell_line is "" and hours 0, which the file does not say.
    """
    adata = formats.read(paths["expression"], samples_in="columns")
    names = {"pert_plate": "rna_plate", "pert_well": "rna_well"}
    about = adata.obs.drop(columns="pert_idose").rename(columns=names).assign(cell_id="", pert_time="-666")
    obs = _wells(about.astype(str), paths)
    return _profiles(adata.X, obs, _landmarks(paths), reading(paths), names=adata.var_names)


def l1000_profiles(paths: Paths) -> AnnData:
    """Read profiles of any level, with what the file or a table beside it says of them.

    Parameters
    ----------
    paths : dict
        expression (GCTX or h5ad, by Entrez id, by symbol, or with pr_gene_id); wells (LINCS's inst_info) if
        the file itself has ids only; genes, hub.

    Returns
    -------
    AnnData, profiles x landmarks
        The file's values; averages over replicates have n_replicates in obs (level 5).

    Raises
    ------
    DataError
        If a profile is not in the table, or the file has ids only and there is no table.
    """
    adata = formats.read(paths["expression"])
    about = adata.obs
    if "wells" in paths:
        about = rows_for(adata.obs_names, "well", paths["wells"], index="inst_id", separator="\t")
    obs, var = _wells(about, paths), _landmarks(paths)
    names = adata.var["pr_gene_id"].astype(int).astype(str) if "pr_gene_id" in adata.var else adata.var_names
    if not names.isin(var.index).any():
        var = var.reset_index(drop=True).set_index("symbol", drop=False)
    whole = {entrez[:5]: entrez for entrez in var.index}  # slinky's file has cut ids of six digits to five
    found = [name if name in var.index else whole.get(name, name) for name in names]
    cut = sum(a != b for a, b in zip(found, names, strict=True))
    steps = [*reading(paths), *[f"{cut} Entrez ids, cut to five digits in the file, made whole"] * (cut > 0)]
    return _profiles(adata.X, obs, var, steps, names=found)


def lincs_level4(paths: Paths, *, view: str = "full", more_than: int = 1000) -> AnnData:
    """Read the landmarks of GSE92742's level 4, curated by the paper's rules (mcdermott2020, Data).

    Compounds with exactly one known mechanism, and DMSO as a mechanism of its own. Full view: samples whose
    mechanism, site and subtype each occur more than 1,000 times, the three counts taken apart and at the
    start, so that some classes end below. Prostate view: prostate samples whose mechanism has at least 1,000.
    Where the paper's labels come from it does not say; here it is the Repurposing Hub.

    Parameters
    ----------
    paths : dict
        expression (GCTX, ids only, 12,328 genes), wells (inst_info), lines (cell_info); genes, hub.
    view : {"full", "prostate"}
    more_than : int
        The 1,000 of both views.

    Returns
    -------
    AnnData, wells x 978 landmarks
        Plate z-scores; what the rules left out is counted in the provenance.
    """
    if view not in VIEWS:
        raise ParameterError(f"view {view!r}: choose one of {', '.join(VIEWS)}")
    lines = text_table(paths["lines"], index="cell_id", separator="\t").replace("-666", "")
    stored, genes = formats.read_gctx_metadata(paths["expression"])
    wells = rows_for(stored.index, "well", paths["wells"], index="inst_id", separator="\t")
    obs = _wells(wells, paths)
    require(pd.Index(obs["cell_line"].unique()), lines.index, "cell line", paths["lines"])
    for name, column in (("site", "primary_site"), ("subtype", "subtype")):
        obs[name] = lines.loc[obs["cell_line"], column].to_numpy()
    kept, steps = _curated(obs, view, more_than)
    var = _landmarks(paths)
    require(var.index, genes.index, "landmark gene", paths["expression"])
    X = formats.read_gctx(paths["expression"], genes=list(var.index), samples=list(kept.index)).X
    if not np.isfinite(X).all():
        raise DataError(f"{paths['expression'].name}: {(~np.isfinite(X)).sum()} z-scores are NaN or infinite")
    return _profiles(X, kept, var, [*reading(paths), *steps])


def regulation(
    paths: Paths,
    *,
    columns: tuple[str | int, ...] = (0, 1),
    where: Mapping[str, Sequence[str] | Mapping[str, float]] | None = None,
    r_object: str | None = None,
) -> AnnData:
    """Read a table of regulators and targets: no samples, a gene for each name, the edges in `uns`.

    Parameters
    ----------
    paths : dict
        edges (text, tab- or comma-separated, or R data).
    columns : tuple
        Regulator and target, by name, or by position in a table without header.
    where : dict, optional
        Column -> values to keep; or value -> weight of its edges.
    r_object : str, optional
        Name of the table in R data, of which a mirror may hold the text.

    Returns
    -------
    AnnData, 0 samples x genes
        By symbol; ``uns["edges"]``: source, target, weight (1 unless `where` says another), as in the file.
    """
    path, where = paths["edges"], where or {}
    if r_object:
        table = formats.read_r_frame(path, r_object, [*columns, *where])
    else:
        header, mark = None if isinstance(columns[0], int) else 0, "," if ".csv" in path.name else "\t"
        table = pd.read_csv(path, dtype=str, keep_default_na=False, header=header, sep=mark)
    require_columns(table, (*columns, *where), path.name)
    steps, table = reading(paths), table.assign(weight=1.0)
    for column, values in where.items():
        table = table[table[column].isin(list(values))]
        if isinstance(values, Mapping):
            table = table.assign(weight=table[column].map(values))
        steps.append(f"{column} one of {', '.join(values)}: {len(table)} rows")
    edges = table[[*columns, "weight"]].set_axis(COLUMNS_OF_EDGES, axis=1).reset_index(drop=True)
    return as_graph(edges, steps)


def tissue_graph(paths: Paths) -> AnnData:
    """Read the landmarks' part of a network of HumanBase: how likely two genes work together in a tissue.

    Parameters
    ----------
    paths : dict
        edges (tab-separated, no header: Entrez id, Entrez id, posterior probability), genes.

    Returns
    -------
    AnnData, 0 samples x landmarks
        By symbol; ``uns["edges"]``: source, target, weight (the probability). Whole files have millions of
        edges: they are read in parts, and edges with another gene are dropped on the way.

    Raises
    ------
    DataError
        If no edge joins two landmarks.
    """
    symbols, path, kept = _landmarks(paths)["symbol"], paths["edges"], []
    kinds = dict(zip(COLUMNS_OF_EDGES, (str, str, float), strict=True))
    for part in pd.read_csv(path, sep="\t", header=None, names=list(kinds), dtype=kinds, chunksize=_AT_ONCE):
        named = part.assign(source=part["source"].map(symbols), target=part["target"].map(symbols))
        kept.append(named.dropna(subset=COLUMNS_OF_EDGES[:2]))
    edges = pd.concat(kept, ignore_index=True)
    if edges.empty:
        raise DataError(f"{path.name}: no edge joins two landmarks; are its genes Entrez ids?")
    return as_graph(edges, reading(paths))


def _curated(obs: pd.DataFrame, view: str, more_than: int) -> tuple[pd.DataFrame, list[str]]:
    """Return the wells that the paper's rules keep, and what each rule left."""
    steps = [f"{len(obs)} wells"]
    rules = {"compounds and DMSO": obs["kind"].isin(["compound", "vehicle"])}
    rules["exactly one known mechanism"] = obs["moa"] != ""
    if view == "prostate":
        rules["primary site prostate"] = obs["site"] == "prostate"
    for words, rule in rules.items():
        obs = obs[rule.loc[obs.index]]
        steps.append(f"{words}: {len(obs)} wells left")
    least = more_than + (view == "full")
    common = pd.Series(True, obs.index)
    for label in ("moa", "site", "subtype") if view == "full" else ("moa",):
        sizes = obs[label].map(obs[label].value_counts())
        common &= (sizes >= least) & (obs[label] != "")
    kept = obs[common]
    if kept.empty:
        raise DataError(f"view {view!r}: no class has {least} wells of {len(obs)} with one known mechanism")
    return kept, [*steps, f"every label with at least {least} wells: {len(kept)} wells left"]


def _landmarks(paths: Paths) -> pd.DataFrame:
    """Return the landmark genes by Entrez id: symbol, entrez, title."""
    genes = text_table(paths["genes"], index="pr_gene_id", separator="\t")
    genes = genes[genes["pr_is_lm"] == "1"]
    about = {"symbol": genes["pr_gene_symbol"], "entrez": genes.index, "title": genes["pr_gene_title"]}
    return pd.DataFrame(about, index=genes.index)


def _wells(table: pd.DataFrame, paths: Paths) -> pd.DataFrame:
    """Return the book's `obs` of LINCS's columns; where a number is missing it is 0."""
    if "cell_id" not in table:
        raise DataError(
            f"{paths['expression'].name}: ids of profiles only, no metadata: give their table too"
        )
    if "pert_idose" in table:  # level 5
        amount = table["pert_idose"].str.extract(r"([\d.]+) (\wM)")
        dose = amount[0].astype(float) * amount[1].map({"nM": 0.001}).fillna(1.0)
        hours = table["pert_itime"].str.extract(r"(\d+) h")[0]
        table = table.assign(pert_dose=dose, pert_time=hours, rna_plate=table["brew_prefix"])
    names = {old: new for old, new in COLUMNS.items() if old in table}
    obs = table[list(names)].astype(str).replace({"-666": "", "nan": ""}).rename(columns=names)
    obs["kind"] = obs["kind"].map(KINDS).fillna(obs["kind"])
    obs["is_control"] = obs["kind"].isin(_CONTROLS)
    for name in ("dose", "hours"):
        obs[name] = pd.to_numeric(obs[name]).fillna(0.0).astype(float)
    obs.loc[obs["is_control"], "dose"] = 0.0
    sites = listed("cell_lines.yml")
    known = {line: (site, subtype) for site, lines in sites.items() for line, subtype in lines.items()}
    obs[["site", "subtype"]] = [known.get(line, ("", "")) for line in obs["cell_line"]]
    if "distil_nsample" in table:
        obs["n_replicates"] = table["distil_nsample"].astype(int)
    return obs.assign(moa=_mechanisms(obs, paths["hub"]))


def _mechanisms(obs: pd.DataFrame, hub: Path) -> pd.Series:
    """Return the one mechanism of each compound, by name, else by id; "" if none or several."""
    table = text_table(hub, index="Name", separator="\t")
    table = table[(table["MOA"] != "") & ~table["MOA"].str.contains(",|\\|")]
    by_name = table["MOA"].set_axis(table.index.str.lower())
    ids = table.assign(id=table["Id"].str.split(", ")).explode("id")
    ids = ids.set_index(ids["id"].str[:13])["MOA"]
    found = obs["perturbagen"].str.lower().map(by_name[~by_name.index.duplicated()])
    found = found.where(found.notna(), obs["perturbagen_id"].map(ids[~ids.index.duplicated()]))
    found = found.where(found.notna(), "")
    found = found.where(obs["kind"] == "compound", "")
    return found.mask((obs["kind"] == "vehicle") & (obs["perturbagen"] == "DMSO"), "DMSO")


def _profiles(
    X: np.ndarray, obs: pd.DataFrame, var: pd.DataFrame, steps: list[str], *, names: object = None
) -> AnnData:
    """Return profiles by symbol, without the columns whose names are not in the index of `var`."""
    ids = var.index if names is None else pd.Index(names)
    there = ids.isin(var.index)
    if not there.any():
        raise DataError(f"none of the {len(ids)} genes is a landmark, as {ids[0]!r}")
    about = var.loc[ids[there]].set_index("symbol", drop=False).rename_axis("gene")
    adata = AnnData(X[:, there].astype(np.float32), obs=obs.rename_axis("sample"), var=about)
    adata.uns["provenance"] = {"steps": steps}
    return adata
