"""Readers of the data of okeke2023: contrasts, each a profile of changes between two groups of samples.

Contrasts are contrasts x genes, values log2 fold changes. Their `obs` has series (what must not be split) and
target (the gene or condition that was changed, "" if none is named).
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import sparse

from exprml.base.errors import DataError
from exprml.base.provenance import with_steps
from exprml.data import formats
from exprml.data.formats.guard import as_format_error, check_unfolded
from exprml.data.formats.sniff import opened
from exprml.data.readers.heil2022 import gene_lengths, tcga_paired
from exprml.data.readers.shared import Paths, reading, require, text_table

# What follows the name of a MorPhiC study: cells and day, or the words of a time course.
_MORPHIC = (
    r"^(?P<series>\d{4}_\d\d_.+?)_(?P<cells>[A-Za-z]+)_day_(?P<day>\d+(?:_\d)?)_",
    r"^(?P<series>\d{4}_\d\d_.+?)_(?P<cells>EB_WT)_day_(?P<day>\d+)_",
    r"^(?P<series>\d{4}_\d\d_.+?)_(?P<cells>[A-Z0-9]+)_(?P<day>)Auxin_",
)


def morphic_changes(paths: Paths) -> AnnData:
    """Read the contrasts of the MorPhiC consortium: human cells with a gene switched off, or in time.

    Parameters
    ----------
    paths : dict
        changes (genes in rows, contrasts "analysis|contrast" in columns, empty where not tested); genes (the
        table of lengths, for symbols).

    Returns
    -------
    AnnData, 167 contrasts x 22,606 genes
        log2 fold changes by DESeq2, NaN where a gene was not tested; obs: series (the study), cells, day,
        target (gene, or the comparison without one), kind ("KO", "CE", "PTC" and so on; "" if none); var:
        symbol ("" if not known).

    Raises
    ------
    DataError
        If a contrast has another name than these have.
    """
    adata = formats.read_table(paths["changes"], samples_in="columns")
    names = adata.obs_names.to_series()
    about = pd.concat([names.str.extract(form) for form in reversed(_MORPHIC)]).dropna(subset="series")
    about = about[~about.index.duplicated()].reindex(names.index)
    unknown = about.index[about["series"].isna()]
    if len(unknown):
        raise DataError(f"{paths['changes'].name}: {unknown[0]!r} names no study, cells and day")
    ending = names.str.split("|").str[-1]
    parts = ending.str.extract(r"^(?P<target>[A-Z0-9-]+)_(?P<kind>KO|CE|PTC|reverted)$")
    about["target"], about["kind"] = parts["target"].fillna(ending), parts["kind"].fillna("")
    adata.obs = about.rename_axis("contrast")
    symbols = gene_lengths({"genes": paths["genes"]}).var["symbol"]
    adata.var["symbol"] = symbols.reindex(adata.var_names).fillna("")
    return with_steps(adata, [*reading(paths), "series: the study before the cells in a contrast's name"])


def tcga_changes(paths: Paths) -> AnnData:
    """Read the pairs of TCGA as contrasts: the tumour of a patient minus the normal tissue beside it.

    Parameters
    ----------
    paths : dict
        Cohort (BRCA, ...) -> R data.

    Returns
    -------
    AnnData, 602 contrasts x 3,556 genes
        Differences of log2 values, NaN where either is missing; obs: series (the cohort), patient, target "".
    """
    samples = tcga_paired(paths)
    tumour, normal = (samples[samples.obs["sample_type"] == kind] for kind in ("tumour", "normal"))
    normal = normal[pd.Index(normal.obs["patient"]).get_indexer(tumour.obs["patient"])]
    obs = tumour.obs[["cohort", "patient"]].rename(columns={"cohort": "series"}).assign(target="")
    obs = obs.set_index("patient", drop=False).rename_axis("contrast")
    adata = AnnData(tumour.X - normal.X, obs=obs, var=samples.var)
    return with_steps(
        adata, [*reading(paths), "tumour minus normal tissue of every patient; series: the cohort"]
    )


def dee2_runs(paths: Paths) -> AnnData:
    """Read a download of DEE2: one zip with the counts of chosen runs and what the archives say of them.

    Parameters
    ----------
    paths : dict
        bundle (zip as dee2.io gives it); annotation (optional: tab-separated, by GSM, a column a line of GEO,
        for downloads whose metadata have no attributes of samples).

    Returns
    -------
    AnnData, runs x genes
        STAR's counts; obs: series (GSE, "" if none), sample (GSM), quality (DEE2's), annotation (its lines,
        the source first); var: symbol.

    Raises
    ------
    FormatError, DataError
        If the zip is damaged, lacks a member, or has one that would leave its folder.
    """
    path = paths["bundle"]
    counts, about, genes = (
        _member(path, name) for name in ("GeneCountMatrix.tsv", "MetadataFull.tsv", "GeneInfo.tsv")
    )
    require(counts.columns, about.index, "run", path)
    about = about.loc[counts.columns].rename(
        columns={"GEO_series": "GSE_accession", "Sample_name": "GSM_accession"}
    )
    obs = about[["GSE_accession", "GSM_accession", "QC_summary"]].set_axis(
        ["series", "sample", "quality"], axis=1
    )
    lines = about["sample.attributes"].map(_attributes) if "sample.attributes" in about else ""
    if "annotation" in paths:
        told = text_table(paths["annotation"], index="sample", separator="\t").agg("\n".join, axis=1)
        lines = obs["sample"].map(told).fillna("")
    var = pd.DataFrame({"symbol": genes["GeneSymbol"].reindex(counts.index).fillna("")}).rename_axis("gene")
    X = counts.T.to_numpy(np.float32)
    return with_steps(
        AnnData(X, obs=obs.assign(annotation=lines).rename_axis("run"), var=var), reading(paths)
    )


def report_series(paths: Paths) -> AnnData:
    """Read the series that the report's repository lists: no genes, only `obs` (series)."""
    with opened(paths["series"]) as stream:
        names = pd.Index(stream.read().decode("utf-8").split(), name="contrast")
    obs = pd.DataFrame({"series": names}, index=names)
    return with_steps(AnnData(np.empty((len(names), 0), np.float32), obs=obs), reading(paths))


def hit_lists(paths: Paths) -> AnnData:
    """Read which genes each study of Crow et al. (2019) calls differentially expressed.

    Parameters
    ----------
    paths : dict
        studies (an R list with a matrix of 0 and 1, genes x studies).

    Returns
    -------
    AnnData, 635 studies x 19,172 genes
        1 where a gene (Entrez) is a hit; each study stands once.
    """
    objects = formats.read_rdata(path := paths["studies"], encoding="utf-8")  # its strings say ASCII
    adata = formats.rdata_matrix(objects, f"{path.stem}$deg_matrix", samples_in="columns", path=path)
    return with_steps(adata, reading(paths))


def gene_sets(paths: Paths) -> AnnData:
    """Read sets of genes from GMT: a line a set, its name, a note, its genes, by tabs.

    Parameters
    ----------
    paths : dict
        sets (GMT, also packed, or a zip with one member).

    Returns
    -------
    AnnData, 0 samples x genes
        Symbols in capitals; ``varm["terms"]``: which genes (sparse, genes x terms); ``uns["terms"]``: names.

    Raises
    ------
    DataError
        If a line has no genes, or a name stands twice.
    """
    names, lists = _gmt(paths["sets"])
    genes = pd.Index(sorted({gene for one in lists for gene in one}), name="gene")
    rows = genes.get_indexer([gene for one in lists for gene in one])
    columns = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    members = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (len(genes), len(names)))
    adata = AnnData(np.empty((0, len(genes)), np.float32), var=pd.DataFrame({"symbol": genes}, index=genes))
    adata.varm["terms"], adata.uns["terms"] = members, names
    return with_steps(
        adata, [*reading(paths), f"{len(names)} sets of {len(genes)} genes, symbols in capitals"]
    )


def _gmt(path: Path) -> tuple[list[str], list[list[str]]]:
    """Return the names of the sets and their genes, each once, in capitals."""
    stream = io.BytesIO(_unzipped(path)) if path.suffix == ".zip" else opened(path)
    names, lists = [], []
    with stream, as_format_error(path):
        for number, line in enumerate(io.TextIOWrapper(stream, "utf-8"), 1):
            if not line.strip():
                continue
            name, *rest = line.rstrip("\r\n").split("\t")
            genes = dict.fromkeys(gene.upper() for gene in rest[1:] if gene)
            if not genes:
                raise DataError(f"{path.name}, line {number}: the set {name!r} has no genes; delete the line")
            names.append(name)
            lists.append(list(genes))
    twice = pd.Index(names)[pd.Index(names).duplicated()]
    if len(twice):
        raise DataError(f"{path.name}: the set {twice[0]!r} stands twice")
    return names, lists


def _member(path: Path, name: str) -> pd.DataFrame:
    """Return a table of texts out of a zip, by its first column."""
    content = io.BytesIO(_unzipped(path, name))
    with as_format_error(path):
        return pd.read_csv(content, sep="\t", dtype=str, keep_default_na=False, index_col=0)


def _unzipped(path: Path, name: str = "") -> bytes:
    """Return a member of a zip, the first unless named; none may lie outside the zip's own folder."""
    with as_format_error(path), zipfile.ZipFile(path) as packed:
        names = packed.namelist()
        leaving = [one for one in names if one.startswith(("/", "\\")) or ".." in PurePosixPath(one).parts]
        if leaving:
            raise DataError(
                f"{path.name}: {leaving[0]!r} would leave the folder; get the file from its source"
            )
        if not names or (name and name not in names):
            raise DataError(f"{path.name}: no {name or 'file'} in it; download it again")
        check_unfolded(path, packed.getinfo(name or names[0]).file_size)
        return packed.read(name or names[0])


def _attributes(text: str) -> str:
    """Return the lines "tag: value" of what DEE2 keeps of a sample: R code of a list of both."""
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', text)
    half = len(words) // 2
    return "\n".join(f"{tag}: {value}" for tag, value in zip(words[:half], words[half:], strict=False))
