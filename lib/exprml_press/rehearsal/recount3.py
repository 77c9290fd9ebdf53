"""recount3 as it is published: gzip, tab-separated, its own headers and folders; and the table of sexes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import numpy as np

from exprml.base.files import write_bytes
from exprml.data.recount3.build import SEX_LABELS, Settings, build
from exprml_press.rehearsal.parts import SEX_SYMBOLS, X_GENE, Y_GENES, pack, path_of

HOME = "recount3/human/data_sources/sra"
KEYS = "rail_id\texternal_id\tstudy"
COLUMNS = {  # the first columns of each table, as recount3 names them
    "sra": "sample_acc\texperiment_acc\tsubmission_acc\tstudy_title\tsample_attributes",
    "recount_project": "project\torganism\tfile_source\tmetadata_source\tdate_processed",
    "recount_qc": "aligned_reads%.chrm\tbc_auc.all_reads_all_bases\tstar.average_mapped_length",
    "recount_seq_qc": "min_len\tmax_len\tavg_len\t#distinct_quality_values\t#bases",
    "recount_pred": "sample_acc\tcurated.type\tcurated.tissue\tpattern.predict.type\tpred.type",
}
TISSUES = ("Blood", "Brain", "Breast", "Cervix", "Stem Cell", "Kidney")
_N_GENES = 120
_SEX_HEADER = "sample_acc,organism,data_type,metadata_sex,present,num_reads"


def gene_ids(n_genes: int) -> list[str]:
    """Return made ids with versions, in the order of the annotation."""
    return [f"ENSG{number:011d}.{number % 9 + 1}" for number in range(n_genes)]


def write_annotation(folder: Path, lengths: Sequence[float], genes: Sequence[str] | None = None) -> None:
    """Write the genes with their lengths (GTF); made ids by default."""
    lines = [
        f'chr1\tHAVANA\tgene\t{100 * i + 1}\t{100 * i + 90}\t{length}\t+\t.\tgene_id "{gene}"; level "2";'
        for i, (gene, length) in enumerate(zip(genes or gene_ids(len(lengths)), lengths, strict=True))
    ]
    path = folder / "recount3/human/annotations/gene_sums/human.gene_sums.G026.gtf.gz"
    pack(path, "##description: evidence-based annotation\n" + "\n".join(lines) + "\n")


def write_samples(folder: Path, projects: Mapping[str, Sequence[str]]) -> None:
    """List the samples of several projects; one of another home, which is not for us."""
    head = f"{KEYS}\t{COLUMNS['recount_project']}\n"
    rows = [
        f"{i}\t{run}\t{name}\t{name}\tHomo sapiens\tdata_sources/sra\tdata_sources/sra\t2019-10-01\n"
        for name, runs in projects.items()
        for i, run in enumerate(runs)
    ]
    rows.append("9\tERR1\tERP1\tERP1\tHomo sapiens\tdata_sources/sra\tcollections/x\t2019-10-01\n")
    pack(folder / HOME / "metadata" / "sra.recount_project.MD.gz", head + "".join(rows))


def write_project(
    folder: Path,
    name: str,
    runs: Sequence[str],
    counts: Any,
    *,
    genes: Sequence[str] | None = None,
    types: Sequence[str] | None = None,
    tissues: Sequence[str] | None = None,
    absent: Sequence[str] = (),
) -> None:
    """Write the six files of a project.

    Parameters
    ----------
    folder : Path
    name : str
    runs : sequence of str
        Ids of the samples; one may stand twice.
    counts : array, samples x genes
        Numbers, or texts.
    genes : sequence of str, optional
        As in the annotation.
    types, tissues : sequence of str, optional
        Of each different run; rna-seq and Blood by default.
    absent : sequence of str
        Runs without a line in the quality table.
    """
    place = f"{name[-2:]}/{name}"
    cells = np.asarray(counts, dtype=object)
    lines = ["##annotation=G026", "##date.generated=2020-05-01", "gene_id\t" + "\t".join(runs)]
    ids = genes or gene_ids(cells.shape[1])
    lines += [f"{gene}\t" + "\t".join(map(str, cells[:, i])) for i, gene in enumerate(ids)]
    pack(folder / HOME / "gene_sums" / place / f"sra.gene_sums.{name}.G026.gz", "\n".join(lines) + "\n")
    for table, columns in COLUMNS.items():
        rows = [f"{KEYS}\t{columns}"]
        for i, run in enumerate(dict.fromkeys(runs)):
            if run in absent and table == "recount_qc":
                continue
            kind = "rna-seq" if types is None else types[i]
            tissue = "Blood" if tissues is None else tissues[i]
            pred = f'S{i}\t\t{tissue}\t{kind}\tx "y'  # stray quotes occur
            other = "\t".join(["1"] * len(columns.split("\t")))
            rows.append(f"{i}\t{run}\t{name}\t{pred if table == 'recount_pred' else other}")
        pack(folder / HOME / "metadata" / place / f"sra.{table}.{name}.MD.gz", "\n".join(rows) + "\n")


def write_store(folder: Path) -> None:
    """Write the files of some studies and of the sexes, and the store that the build makes of them.

    Each study has two runs of three tissues, so that a tissue is in ten studies. Odd, as in the true files: a
    run in two studies, a cell that is no number, runs without quality line, type, tissue or sex, a single
    cell, a tissue of one study.
    """
    genes, lengths = _genes()
    write_annotation(folder, lengths, genes)
    generator, sexes, projects = np.random.default_rng(0), {}, {}
    profiles = generator.normal(0, 1.5, (len(TISSUES) + 1, _N_GENES))
    for number, three in enumerate(combinations(range(len(TISSUES)), 3)):
        name, codes = f"SRP{100_000 + number}", np.repeat(three, 2)
        runs = [f"SRR{1_000_000 + 10 * number + i}" for i in range(len(codes))]
        if number == 9:
            codes[-1] = len(TISSUES)
        men = generator.random(len(codes)) < 0.5
        levels = 2.0 + profiles[codes] + generator.normal(0, 0.7, _N_GENES)
        levels += generator.normal(0, 0.5, levels.shape)
        counts = np.floor(np.exp(np.minimum(levels, 12)) * lengths / 100).astype(int)
        counts[:, _positions(genes, Y_GENES)] *= men[:, None]
        counts[:, _positions(genes, [X_GENE])] *= ~men[:, None]
        sexes |= dict(zip(runs, np.where(men, "male", "female"), strict=True))
        tissues = [(*TISSUES, "Tonsil")[code] for code in codes]
        write_project(folder, name, genes=genes, **_with_oddities(number, runs, counts, tissues))
        projects[name] = runs
    write_samples(folder, projects)
    pack(folder / SEX_LABELS, _sexes(sexes))
    with TemporaryDirectory() as data, patch.dict(os.environ, EXPRML_DATA=data, EXPRML_MIRROR=str(folder)):
        store = build(Settings(), sex_labels=folder / SEX_LABELS, report=lambda line: None)
        write_bytes(path_of(folder, "recount3", "store"), store.read_bytes())


def _genes() -> tuple[list[str], np.ndarray]:
    """Return ids and lengths: genes that tell the sexes apart first, one gene on both ends of Y."""
    genes = gene_ids(_N_GENES)
    genes[: len(SEX_SYMBOLS)] = [f"{gene}.{12 + i}" for i, gene in enumerate(SEX_SYMBOLS)]
    genes[-1] = f"{genes[-2]}_PAR_Y"
    return genes, np.random.default_rng(1).integers(300, 9000, _N_GENES)


def _positions(genes: Sequence[str], plain: Sequence[str]) -> list[int]:
    return [i for i, gene in enumerate(genes) if gene.split(".")[0] in plain]


def _with_oddities(number: int, runs: list[str], counts: np.ndarray, tissues: list[str]) -> dict[str, Any]:
    """Return a study as :func:`write_project` takes it; a few have the oddities that the filters are for."""
    cells, types, absent = counts.astype(object), ["rna-seq"] * len(runs), []
    if number == 1:
        cells[0, 3] = "x7"
        runs = [*runs, "SRR1000000"]  # of the first study
        cells = np.vstack([cells, cells[:1]])
        types, tissues = [*types, "rna-seq"], [*tissues, "Blood"]
    if number == 2:
        types[0], types[2], absent = "", "scrna-seq", [runs[4]]
    if number == 3:
        tissues = ["", *tissues[1:]]
    return {"runs": runs, "counts": cells, "types": types, "tissues": tissues, "absent": absent}


def _sexes(known: Mapping[str, str]) -> str:
    """Return the table of Flynn et al.: three runs of four with a sex; mice and microarrays are in it too."""
    rows = [
        f"{run},human,rnaseq,{'unknown' if i % 4 == 3 else sex},TRUE,{9000 + i}"
        for i, (run, sex) in enumerate(known.items())
    ]
    rows[1:1] = ["SRR42,mouse,rnaseq,male,TRUE,7", "GSM42,human,microarray,female,TRUE,"]
    return "\n".join([_SEX_HEADER, *rows]) + "\n"
