"""Where recount3's files lie, and what its small tables say: projects, metadata, gene lengths; sex labels.

The addresses are those that its R package (``locate_url``, version 1.10) and its Python client (``recount3``,
version 1.3) build. A mirror with the same layout below ``recount3/`` serves as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd

from exprml.base.errors import DataError, FormatError, require_columns
from exprml.data.catalogue.entries import DataFile

# The public open-data mirror of duffel.rail.bio.
BASE = "https://recount-opendata.s3.amazonaws.com/recount3/release"
METADATA = ("sra", "recount_project", "recount_qc", "recount_seq_qc", "recount_pred")
ANNOTATION = "G026"  # GENCODE 26: what the R package, and so the paper, takes unless told otherwise
_SRA = "human/data_sources/sra"
SEXES = ("male", "female")
_KEYS = ["external_id", "study"]
_PREDICTED = {"pattern.predict.type": "type", "curated.tissue": "tissue"}


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


def read_projects(path: Path) -> list[str]:
    """Return the projects of the SRA home, in the order of the list of samples."""
    table = _table(path, ["external_id", "project", "metadata_source"])
    own = table.loc[table["metadata_source"] == "data_sources/sra", "project"]
    if own.empty:
        raise DataError(f"{path.name}: no sample of data_sources/sra; this is the list of another home")
    return list(dict.fromkeys(own))


def read_metadata(paths: Mapping[str, Path]) -> pd.DataFrame:
    """Return the samples that stand in all metadata tables of a project, as the R package joins them.

    Returns
    -------
    DataFrame, index external_id
        study, type (predicted) and tissue (curated); "" where missing.
    """
    tables = [_table(path, _KEYS + list(_PREDICTED) * (key == "recount_pred")) for key, path in paths.items()]
    joined = reduce(lambda left, right: left.merge(right, on=_KEYS), tables)
    return joined.drop_duplicates("external_id").set_index("external_id").rename(columns=_PREDICTED)


def read_annotation(path: Path) -> pd.Series:
    """Return gene id (with version) -> bases in exons, in the order of the file: GTF, the sixth column.

    Raises
    ------
    FormatError
        If a gene has no id, stands twice, or its length is no positive number.
    """
    try:
        table = pd.read_csv(path, sep="\t", header=None, comment="#", usecols=[5, 8], dtype=str, quoting=3)
    except ValueError as error:
        raise FormatError(f"{path.name}: no GTF of genes with their lengths ({error})") from error
    genes = pd.Index(table[8].str.extract(r'gene_id "([^"]+)"')[0], name=None)
    lengths = pd.Series(pd.to_numeric(table[5], errors="coerce").to_numpy(float), genes, name="length")
    wrong = np.flatnonzero(genes.isna() | genes.duplicated() | ~(lengths.to_numpy() > 0))
    if len(wrong):
        found = f"{genes[wrong[0]]} of length {table[5][wrong[0]]}"
        raise FormatError(f"{path.name}, gene {wrong[0] + 1}: {found}: no id, no length, or it stands twice")
    return lengths


def read_sexes(path: str | Path) -> pd.Series:
    """Return run -> male or female from the table of Flynn et al. (``combined_human_mouse_meta_v2.csv``).

    Only human RNA-seq with a sex stated by its submitters counts (heil2022, Data).

    Raises
    ------
    DataError
        If a column is missing or a run has both sexes.
    """
    path = Path(path)
    table = _table(path, ["sample_acc", "organism", "data_type", "metadata_sex"], separator=",")
    human = (table["organism"] == "human") & (table["data_type"] == "rnaseq")
    table = table[human & table["metadata_sex"].isin(SEXES)].drop_duplicates(["sample_acc", "metadata_sex"])
    both = table["sample_acc"][table["sample_acc"].duplicated()]
    if len(both):
        raise DataError(f"{path.name}: {both.iloc[0]} is male in one row and female in another")
    return table.set_index("sample_acc")["metadata_sex"]


def _table(path: Path, columns: list[str], separator: str = "\t") -> pd.DataFrame:
    """Read columns as text; R's tables hold stray quotes, so a tab-separated one is read without quoting."""
    try:
        found = pd.read_csv(path, sep=separator, dtype=str, quoting=3 if separator == "\t" else 0)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise FormatError(f"{path.name}: no table with the expected columns ({error})") from error
    require_columns(found, columns, path.name)
    return found[columns].fillna("")
