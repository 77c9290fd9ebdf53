"""What the makers of files share: packed texts, paths of the catalogue, genes that tell the sexes apart."""

from __future__ import annotations

import gzip
from pathlib import Path

from exprml.base.files import write_bytes
from exprml.data.catalogue.entries import entry

X_GENE, Y_GENES = "ENSG00000229807", ("ENSG00000129824", "ENSG00000067048", "ENSG00000012817")
SEX_SYMBOLS = {X_GENE: "XIST", **dict(zip(Y_GENES, ("RPS4Y1", "DDX3Y", "KDM5D"), strict=True))}


def path_of(folder: Path, name: str, key: str) -> Path:
    """Return where a file of an entry of the catalogue lies below `folder`."""
    return folder / next(file.path for file in entry(name).files if file.key == key)


def pack(path: Path, text: str) -> None:
    """Write a text, packed by gzip without a time stamp if its name ends in .gz."""
    content = text.encode()
    write_bytes(path, gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)


def ensembl(number: int) -> str:
    """Return a made id in Ensembl's form."""
    return f"ENSG{300_000 + 17 * number:011d}"
