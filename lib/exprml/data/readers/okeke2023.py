"""Readers of the data of okeke2023: contrasts, each a profile of changes between two groups of samples.

Contrasts are contrasts x genes, values log2 fold changes. Their `obs` has series (what must not be split) and
target (the gene or condition that was changed, "" if none is named).
"""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path, PurePosixPath

import h5py
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

_OLDER = {"GEO_series": "GSE_accession", "Sample_name": "GSM_accession"}  # DEE2's columns, renamed once
_BROADER = ("is_a", "part_of")  # what holds for a term holds for these of it too (the "true path rule")


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
    """Read counts of DEE2 and what the archives say of the runs: one zip of chosen runs, or its bulk form.

    The bulk form is one HDF5 file a species with all runs; only those of `annotation` are read. It is read as
    DEE2's page on bulk data describes it and was not seen by us.

    Parameters
    ----------
    paths : dict
        bundle (zip as dee2.io gives it), or bulk (HDF5: a matrix, runs x genes, and the names of both) and
        metadata (the species' table of runs); annotation (tab-separated, by GSM, a column a line of GEO; may
        be missing for a bundle whose metadata have attributes of samples).

    Returns
    -------
    AnnData, runs x genes
        STAR's counts; obs: series (GSE, "" if none), sample (GSM), quality (DEE2's), annotation (its lines,
        the source first); var: symbol ("" if not known).

    Raises
    ------
    FormatError, DataError
        If a file is damaged, lacks a part, or a zip has a member that would leave its folder.
    """
    told = None
    if "annotation" in paths:
        told = text_table(paths["annotation"], index="sample", separator="\t").agg("\n".join, axis=1)
    counts, about, symbols = _bundle(paths["bundle"]) if "bundle" in paths else _bulk(paths, told.index)
    lines = about.get("sample.attributes", pd.Series("", about.index)).map(_attributes)
    if told is not None:
        lines = about["GSM_accession"].map(told).fillna("")
    columns = {"GSE_accession": "series", "GSM_accession": "sample", "QC_summary": "quality"}
    obs = about[[*columns]].rename(columns=columns).assign(annotation=lines).rename_axis("run")
    var = pd.DataFrame({"symbol": symbols}).rename_axis("gene")
    return with_steps(AnnData(counts, obs=obs, var=var), reading(paths))


def _bundle(path: Path) -> tuple[np.ndarray, pd.DataFrame, pd.Series]:
    """Return counts (runs x genes), what is said of the runs, and the genes' symbols, out of a zip."""
    counts, about, genes = (
        _member(path, name) for name in ("GeneCountMatrix.tsv", "MetadataFull.tsv", "GeneInfo.tsv")
    )
    require(counts.columns, about.index, "run", path)
    about = about.loc[counts.columns].rename(columns=_OLDER)
    return counts.T.to_numpy(np.float32), about, genes["GeneSymbol"].reindex(counts.index).fillna("")


def _bulk(paths: Paths, samples: pd.Index) -> tuple[np.ndarray, pd.DataFrame, pd.Series]:
    """Return the same of those runs of the bulk form that belong to the samples."""
    about = text_table(paths["metadata"], index="SRR_accession", separator="\t").rename(columns=_OLDER)
    about = about[about["GSM_accession"].isin(samples)]
    with as_format_error(path := paths["bulk"]), h5py.File(path) as file:
        *rest, matrix = sorted(file.values(), key=lambda one: one.ndim)
        names = {one.size: pd.Index(one.asstr()[:].ravel()) for one in rest}
        runs, genes = (names.get(length) for length in matrix.shape)
        if matrix.ndim != 2 or len(names) < 2 or runs is None or genes is None:
            raise DataError(f"{path.name}: not a matrix with the names of its runs and genes beside it")
        place = np.sort(runs.get_indexer(runs.intersection(about.index)))  # HDF5 wants rising rows
        if not len(place):
            raise DataError(f"{path.name}: holds no run of the samples in {paths['annotation'].name}")
        counts = matrix[place].astype(np.float32)
    return counts, about.loc[runs[place]], pd.Series("", genes)


def airway(paths: Paths) -> AnnData:
    """Read counts of airway smooth muscle, four lines of cells with and without dexamethasone.

    Parameters
    ----------
    paths : dict
        runs (h5ad).

    Returns
    -------
    AnnData, 8 runs x 64,102 genes (Ensembl)
        obs: series (one), annotation (what GEO says, a line a column of the file).
    """
    adata = formats.read(paths["runs"])
    words = adata.obs[["cell", "dex", "albut"]].set_axis(
        ["cell line: ", "treatment: ", "albuterol: "], axis=1
    )
    told = words.apply(lambda line: line.name + line.astype(str)).agg("\n".join, axis=1)
    adata.obs = pd.DataFrame({"series": "GSE52778", "annotation": told}, adata.obs_names)
    return with_steps(adata, reading(paths))


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
    step = f"{len(names)} sets of {len(genes)} genes, symbols in capitals"
    return with_steps(_of_terms(genes, members, names), [*reading(paths), step])


def _of_terms(genes: pd.Index, members: sparse.csr_matrix, names: list[str]) -> AnnData:
    """Return genes without samples, and which of them belong to each term."""
    adata = AnnData(np.empty((0, len(genes)), np.float32), var=pd.DataFrame({"symbol": genes}, index=genes))
    adata.varm["terms"], adata.uns["terms"] = members, names
    return adata


def gene_ontology(paths: Paths) -> AnnData:
    """Read every term of the Gene Ontology with its genes, and those of its narrower terms.

    Parameters
    ----------
    paths : dict
        ontology (OBO; is_a and part_of are followed), annotation (GAF 2; all evidence codes but ND, which is
        "no data"; lines that say NOT are left out, and those of obsolete terms that nothing replaces).

    Returns
    -------
    AnnData, 0 samples x genes
        As :func:`gene_sets` has it, the names of the terms with their ids before them.

    Raises
    ------
    DataError
        If a term lies above itself or under one that the file lacks, or a gene is of a term that it lacks.
    """
    names, other, pairs = _obo(paths["ontology"])
    with opened(paths["annotation"]) as stream, as_format_error(paths["annotation"]):
        lines = io.BytesIO(b"".join(line for line in stream if not line.startswith(b"!")))
        columns = {2: "gene", 3: "qualifier", 4: "term", 6: "evidence"}
        gaf = pd.read_csv(lines, sep="\t", header=None, usecols=[*columns], dtype=str, quoting=3)
    gaf = gaf.rename(columns=columns).fillna("")
    gaf = gaf[~gaf["qualifier"].str.contains("NOT") & (gaf["evidence"] != "ND")]
    gaf["term"] = gaf["term"].replace(other)
    require(pd.Index(gaf.loc[gaf["term"] != "", "term"]), names.index, "term", paths["ontology"])
    obsolete, gaf = int((gaf["term"] == "").sum()), gaf[gaf["term"] != ""]
    gene, genes = pd.factorize(gaf["gene"].str.upper(), sort=True)
    direct = (np.ones(len(gaf), bool), (gene, names.index.get_indexer(gaf["term"])))
    reach = _reach(names.index, pairs, paths["ontology"])
    members = (sparse.csr_matrix(direct, (len(genes), len(names))) @ reach).astype(np.float32)
    members.data[:] = 1
    kept = np.flatnonzero(members.getnnz(axis=0))
    step = (
        f"{len(kept)} terms of {len(genes)} genes, by {' and '.join(_BROADER)}; {obsolete} lines of obsolete "
    )
    step += f"terms left out; {(gaf['evidence'] == 'IEA').mean():.0%} of the rest electronic (IEA)"
    names = [f"{names.index[one]} {names.iloc[one]}" for one in kept]
    adata = _of_terms(pd.Index(genes, name="gene"), members[:, kept], names)
    return with_steps(adata, [*reading(paths), step])


def _obo(path: Path) -> tuple[pd.Series, dict[str, str], list[tuple[str, str]]]:
    """Return names of terms by id, what stands for other ids ("" if nothing), and pairs narrower, broader."""
    with opened(path) as stream, as_format_error(path):
        text = stream.read().decode("utf-8").replace("\r\n", "\n")
        names, other, pairs = {}, {}, []
        for stanza in text.split("\n[Term]\n")[1:]:
            lines = [line.partition(": ")[::2] for line in stanza.split("\n\n")[0].splitlines()]
            told = dict(lines)
            if "is_obsolete" in told:
                other[told["id"]] = told.get("replaced_by", "").split(" ")[0]
                continue
            names[told["id"]] = told["name"]
            other |= {value.split(" ")[0]: told["id"] for tag, value in lines if tag == "alt_id"}
            over = [("is_a", *value.split(" ")) for tag, value in lines if tag == "is_a"]
            over += [value.split(" ") for tag, value in lines if tag == "relationship"]
            pairs += [(told["id"], broader) for relation, broader, *_ in over if relation in _BROADER]
    return pd.Series(names, dtype=object), other, pairs


def _reach(ids: pd.Index, pairs: list[tuple[str, str]], path: Path) -> sparse.csr_matrix:
    """Return which terms hold what a term holds, or it (terms x terms): steps joined until none is new."""
    require(pd.Index([broader for _, broader in pairs]), ids, "term", path)
    rows, columns = (ids.get_indexer(side) for side in zip(*pairs, strict=True)) if pairs else ([], [])
    one = sparse.csr_matrix((np.ones(len(rows), bool), (rows, columns)), (len(ids), len(ids)))
    reach, wider = one, one + sparse.identity(len(ids), dtype=bool, format="csr")
    while wider.nnz > reach.nnz:
        reach, wider = wider, wider @ wider
    both = reach.multiply(reach.T) - sparse.identity(len(ids), format="csr")
    if both.nnz:
        raise DataError(
            f"{path.name}: {ids[both.nonzero()[0][0]]} lies above itself; get the file from its source"
        )
    return reach


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
