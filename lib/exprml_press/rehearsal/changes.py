"""A made download of DEE2: mouse runs in the zip that dee2.io gives, and the words of GEO on them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pandas as pd

from exprml.data.simulate import counts_twin

N_SERIES = 12


def write_dee2(folder: Path) -> None:
    """Write ``dee2/mmusculus.zip`` and the table of annotation beside it, below `folder`."""
    adata = counts_twin(N_SERIES, 200)
    genes = pd.Index([f"ENSMUSG{number:011d}" for number in range(1, adata.n_vars + 1)], name="GeneID")
    samples = pd.Index([f"GSM9{number:06d}" for number in range(adata.n_obs)], name="sample")
    about = {"QC_summary": "PASS", "Sample_name": samples, "GEO_series": adata.obs["series"].to_numpy()}
    symbols = [f"Gene{at}" for at in range(len(genes))]
    tables = {
        "GeneCountMatrix.tsv": pd.DataFrame(adata.X.T.astype(int), genes, list(adata.obs_names)),
        "MetadataFull.tsv": pd.DataFrame(about, adata.obs_names.rename("SRR_accession")),
        "GeneInfo.tsv": pd.DataFrame({"GeneSymbol": symbols, "mean": 1000}, genes),
    }
    (folder / "dee2").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "dee2" / "mmusculus.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, table in tables.items():
            packed.writestr(zipfile.ZipInfo(name), table.to_csv(sep="\t"))
    told = pd.DataFrame([text.split("\n") for text in adata.obs["annotation"]], samples)
    told.columns = ["source_name_ch1", *(f"characteristics_ch1.{at}" for at in told.columns[:-1])]
    told.to_csv(folder / "dee2" / "mmusculus_annotation.tsv", sep="\t")


def write_series(folder: Path) -> None:
    """Write a list of series, below `folder`."""
    path = folder / "changes" / "MLGO_series_11334.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"GSE9{number:05d}\n" for number in range(40)), encoding="utf-8")
