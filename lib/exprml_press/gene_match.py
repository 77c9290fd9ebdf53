"""Which gene of a file is which landmark: by id, by symbol, or by Ensembl id without its version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from exprml.base.errors import DataError
from exprml.base.gene_ids import without_version

_SYMBOLS = {"symbol", "genesymbol", "prgenesymbol", "genename", "hgncsymbol", "description"}
_BLANK = {"", "nan", "None"}
_ENSEMBL = {"ensembl", "ensemblid", "geneid", "ensemblgeneid", "prgeneensembl"}


@dataclass(frozen=True)
class GeneMatch:
    """Where the landmarks stand in a file.

    Attributes
    ----------
    positions : array of int, (landmarks,)
        Column of each landmark; -1 where it is missing.
    missing : tuple of str
        The landmarks that the file lacks, by symbol where there is one.
    """

    positions: np.ndarray
    missing: tuple[str, ...]


def match_genes(wanted: pd.DataFrame, given: pd.DataFrame, where: str) -> GeneMatch:
    """Find each wanted gene in a file's genes.

    Parameters
    ----------
    wanted : DataFrame, indexed by gene id; columns symbol, ensembl where known
    given : DataFrame, indexed by gene id
        Its columns with symbols or Ensembl ids are known by their usual names.
    where : str
        The file, for messages.

    Returns
    -------
    GeneMatch

    Raises
    ------
    DataError
        If a wanted gene is found more than once, or two of them are the same gene of the file.
    """
    ids = [str(name) for name in given.index]
    symbols, ensembl = (wanted.get(one, wanted.index).astype(str) for one in ("symbol", "ensembl"))
    steps = [
        (_places([ids]), wanted.index.astype(str)),
        (_places([ids, *_columns(given, _SYMBOLS)]), symbols),
        (_places(map(without_version, [ids, *_columns(given, _ENSEMBL)])), without_version(ensembl)),
    ]
    names = [i if s in _BLANK else s for i, s in zip(wanted.index.astype(str), symbols, strict=True)]
    positions, taken = np.full(len(wanted), -1), {}
    for number, (name, *keys) in enumerate(zip(names, *(keys for _, keys in steps), strict=True)):
        hits = (known[key] for (known, _), key in zip(steps, keys, strict=True) if key in known)
        found = sorted(next(hits, ()))
        if len(found) > 1:
            twins = ", ".join(repr(ids[one]) for one in found[:3])
            raise DataError(f"{where}: landmark {name!r} is found {len(found)} times ({twins}): keep one")
        for at in found:
            if at in taken:
                twins = f"{ids[at]!r} is both landmark {taken[at]!r} and {name!r}"
                raise DataError(f"{where}: {twins}: give it one name")
            positions[number], taken[at] = at, name
    return GeneMatch(positions, tuple(name for name, at in zip(names, positions, strict=True) if at < 0))


def _columns(genes: pd.DataFrame, titles: set[str]) -> list[list[str]]:
    """Return as texts the columns whose title, letters alone, is one of `titles`."""
    found = [name for name in genes if re.sub(r"[^a-z]", "", str(name).lower()) in titles]
    return [[str(one) for one in genes[name]] for name in found]


def _places(lists: Iterable[Iterable[str]]) -> dict[str, set[int]]:
    """Return name -> the genes that bear it in one of the lists."""
    found: dict[str, set[int]] = {}
    for names in lists:
        for at, name in enumerate(names):
            found.setdefault(name, set()).add(at)
    return {name: places for name, places in found.items() if name not in _BLANK}
