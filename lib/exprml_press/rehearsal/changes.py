"""A made download of DEE2, both its forms, with the words of GEO on the runs; and a made Gene Ontology."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from exprml.data.simulate import counts_twin, terms_twin

N_SERIES = 12


def write_dee2(folder: Path) -> None:
    """Write ``dee2/mmusculus.zip``, the same runs in the bulk form, and their annotation, below `folder`."""
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
    tables["MetadataFull.tsv"].to_csv(folder / "dee2" / "mmusculus_metadata.tsv", sep="\t")
    with h5py.File(folder / "dee2" / "mmusculus_se.h5", "w") as file:
        names = {"rowname": adata.obs_names, "colname": genes}
        for name, values in {"bigmatrix": adata.X.astype(int), **names}.items():
            file.create_dataset(name, data=np.asarray(values).tolist(), track_times=False)
    told = pd.DataFrame([text.split("\n") for text in adata.obs["annotation"]], samples)
    told.columns = ["source_name_ch1", *(f"characteristics_ch1.{at}" for at in told.columns[:-1])]
    told.to_csv(folder / "dee2" / "mmusculus_annotation.tsv", sep="\t")


def write_series(folder: Path) -> None:
    """Write a list of series, below `folder`."""
    path = folder / "changes" / "MLGO_series_11334.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"GSE9{number:05d}\n" for number in range(40)), encoding="utf-8")


def write_ontology(folder: Path) -> None:
    """Write the programmes of the twin as ``go/go-basic.obo`` and ``go/mgi.gaf``, below `folder`.

    Every fourth term lies within the one before; its genes are said to be of the narrower term alone.
    """
    twin = terms_twin()
    members = np.asarray(twin.varm["terms"]).T.astype(bool)
    stanzas, lines = ["format-version: 1.2\nontology: go\n"], ["!gaf-version: 2.2\n"]
    for number, (name, genes) in enumerate(zip(twin.uns["terms"], members, strict=True)):
        term = f"[Term]\nid: GO:{number:07d}\nname: {name}\nnamespace: biological_process\n"
        inside = number % 4 == 3
        stanzas.append(term + (f"is_a: GO:{number - 1:07d} ! the one before\n" if inside else ""))
        told = genes & ~members[number + 1] if number % 4 == 2 else genes
        at = ["involved_in", f"GO:{number:07d}", "MGI:2", ("IDA", "IEA")[number % 2], *[""] * 10]
        for symbol in twin.var["symbol"][told]:
            lines.append("\t".join(["MGI", "MGI:1", symbol, *at]) + "\n")
    stanzas.append("[Term]\nid: GO:9999999\nname: gone\nis_obsolete: true\n")
    (folder / "go").mkdir(parents=True, exist_ok=True)
    (folder / "go" / "go-basic.obo").write_text("\n".join(stanzas), encoding="utf-8")
    (folder / "go" / "mgi.gaf").write_text("".join(lines), encoding="utf-8")
