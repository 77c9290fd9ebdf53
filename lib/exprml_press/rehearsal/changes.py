"""A made download of DEE2: mouse runs in the zip that dee2.io gives, and the words of GEO on them."""

from __future__ import annotations

import zipfile
from pathlib import Path

from exprml.data.simulate import counts_twin

N_SERIES = 12


def write_dee2(folder: Path) -> None:
    """Write ``dee2/mmusculus.zip`` and the table of annotation beside it, below `folder`."""
    adata = counts_twin(N_SERIES, 200)
    genes = [f"ENSMUSG{number:011d}" for number in range(1, adata.n_vars + 1)]
    samples = [f"GSM9{number:06d}" for number in range(adata.n_obs)]
    runs, series = adata.obs_names, adata.obs["series"]
    lines = {
        "GeneCountMatrix.tsv": [
            "\t".join(["GeneID", *runs]),
            *(
                "\t".join([gene, *(f"{one:.0f}" for one in row)])
                for gene, row in zip(genes, adata.X.T, strict=True)
            ),
        ],
        "MetadataFull.tsv": [
            "SRR_accession\tQC_summary\tSample_name\tGEO_series",
            *(
                f"{run}\tPASS\t{sample}\t{one}"
                for run, sample, one in zip(runs, samples, series, strict=True)
            ),
        ],
        "GeneInfo.tsv": [
            "GeneID\tGeneSymbol\tmean",
            *(f"{gene}\tGene{at}\t1000" for at, gene in enumerate(genes)),
        ],
    }
    (folder / "dee2").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "dee2" / "mmusculus.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in lines.items():
            packed.writestr(zipfile.ZipInfo(name), "\n".join(text) + "\n")
    words = [text.split("\n") for text in adata.obs["annotation"]]
    header = [
        "sample",
        "source_name_ch1",
        *(f"characteristics_ch1.{number}" for number in range(len(words[0]) - 1)),
    ]
    table = [header, *([sample, *one] for sample, one in zip(samples, words, strict=True))]
    text = "".join("\t".join(row) + "\n" for row in table)
    (folder / "dee2" / "mmusculus_annotation.tsv").write_text(text, encoding="utf-8")


def write_series(folder: Path) -> None:
    """Write a list of series, below `folder`."""
    path = folder / "changes" / "MLGO_series_11334.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"GSE9{number:05d}\n" for number in range(40)), encoding="utf-8")
