"""Ensembl ids of genes, with their version and without."""

from __future__ import annotations

import re
from collections.abc import Iterable

_VERSION = re.compile(r"(ENS[A-Z]*\d+)\.\d+")


def without_version(names: Iterable[object]) -> list[str]:
    """Return Ensembl ids without their version; other names as they are.

    What follows the version stays: ``_PAR_Y`` marks the genes on Y's copy of X's ends, which are others.
    """
    return [_VERSION.sub(r"\1", str(name), count=1) for name in names]
