"""Where recount3's files lie: the layout its R package builds addresses from (``locate_url``, version 1.10).

The addresses could not be tried when this was written. A mirror with the same layout below ``recount3/``
serves as well.
"""

from __future__ import annotations

from exprml.data.catalogue.entries import DataFile

BASE = (
    "https://recount-opendata.s3.amazonaws.com/recount3/release"  # public open-data mirror of duffel.rail.bio
)
METADATA = ("sra", "recount_project", "recount_qc", "recount_seq_qc", "recount_pred")
ANNOTATION = "G026"  # GENCODE 26: what the R package, and so the paper, takes unless told otherwise
_SRA = "human/data_sources/sra"


def samples_file() -> DataFile:
    """Return the list of all human SRA samples with their projects."""
    return _file("samples", f"{_SRA}/metadata/sra.recount_project.MD.gz")


def annotation_file() -> DataFile:
    """Return the genes, with the summed length of their exons."""
    return _file("annotation", f"human/annotations/gene_sums/human.gene_sums.{ANNOTATION}.gtf.gz")


def project_files(project: str) -> dict[str, DataFile]:
    """Return the files of a project: "counts", and the metadata tables by name."""
    folder = f"{project[-2:]}/{project}"
    counts = f"{_SRA}/gene_sums/{folder}/sra.gene_sums.{project}.{ANNOTATION}.gz"
    tables = {one: f"{_SRA}/metadata/{folder}/sra.{one}.{project}.MD.gz" for one in METADATA}
    return {key: _file(key, path) for key, path in {"counts": counts, **tables}.items()}


def _file(key: str, path: str) -> DataFile:
    return DataFile(key, f"recount3/{path}", f"{BASE}/{path}")
