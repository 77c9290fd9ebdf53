"""Tiny files in the form recount3 publishes: gzip, tab-separated, its own headers and folders."""

import gzip
from pathlib import Path

import numpy as np

HOME = "recount3/human/data_sources/sra"
KEYS = "rail_id\texternal_id\tstudy"
COLUMNS = {  # the first columns of each table, as recount3 names them
    "sra": "sample_acc\texperiment_acc\tsubmission_acc\tstudy_title\tsample_attributes",
    "recount_project": "project\torganism\tfile_source\tmetadata_source\tdate_processed",
    "recount_qc": "aligned_reads%.chrm\tbc_auc.all_reads_all_bases\tstar.average_mapped_length",
    "recount_seq_qc": "min_len\tmax_len\tavg_len\t#distinct_quality_values\t#bases",
    "recount_pred": "sample_acc\tcurated.type\tcurated.tissue\tpattern.predict.type\tpred.type",
}


def pack(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=1))


def gene_ids(n_genes):
    return [f"ENSG{number:011d}.{number % 9 + 1}" for number in range(n_genes)]


def write_annotation(mirror: Path, lengths) -> None:
    lines = [
        f'chr1\tHAVANA\tgene\t{100 * i + 1}\t{100 * i + 90}\t{length}\t+\t.\tgene_id "{gene}"; level "2";'
        for i, (gene, length) in enumerate(zip(gene_ids(len(lengths)), lengths, strict=True))
    ]
    path = mirror / "recount3/human/annotations/gene_sums/human.gene_sums.G026.gtf.gz"
    pack(path, "##description: evidence-based annotation\n" + "\n".join(lines) + "\n")


def write_samples(mirror: Path, projects) -> None:
    """List the samples of several projects; one of another home, which is not for us."""
    head = f"{KEYS}\t{COLUMNS['recount_project']}\n"
    rows = [
        f"{i}\t{run}\t{name}\t{name}\tHomo sapiens\tdata_sources/sra\tdata_sources/sra\t2019-10-01\n"
        for name, runs in projects.items()
        for i, run in enumerate(runs)
    ]
    rows.append("9\tERR1\tERP1\tERP1\tHomo sapiens\tdata_sources/sra\tcollections/x\t2019-10-01\n")
    pack(mirror / HOME / "metadata" / "sra.recount_project.MD.gz", head + "".join(rows))


def write_project(mirror: Path, name: str, runs, counts, *, types=None, tissues=None, absent=()) -> None:
    """Write the six files of a project; `counts` are samples x genes, numbers or texts; `absent` from qc."""
    folder = f"{name[-2:]}/{name}"
    cells = np.asarray(counts, dtype=object)
    lines = ["##annotation=G026", "##date.generated=2020-05-01", "gene_id\t" + "\t".join(runs)]
    lines += [
        f"{gene}\t" + "\t".join(map(str, cells[:, i])) for i, gene in enumerate(gene_ids(cells.shape[1]))
    ]
    pack(mirror / HOME / "gene_sums" / folder / f"sra.gene_sums.{name}.G026.gz", "\n".join(lines) + "\n")
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
        pack(mirror / HOME / "metadata" / folder / f"sra.{table}.{name}.MD.gz", "\n".join(rows) + "\n")
