"""Which gene of a file is which landmark: by id, by symbol, or by Ensembl id without its version."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from exprml.base.errors import DataError
from exprml.base.gene_ids import without_version

_SYMBOLS = {"symbol", "genesymbol", "prgenesymbol", "genename", "hgncsymbol", "description"}
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

    @property
    def share_missing(self) -> float:
        """Share of the landmarks that the file lacks."""
        return len(self.missing) / len(self.positions)


def match_genes(wanted: pd.DataFrame, given: pd.DataFrame, where: str = "the file") -> GeneMatch:
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
    symbols = _named(ids, given, _SYMBOLS)
    ensembl = _named(without_version(ids), given, _ENSEMBL, without_version)
    positions, names = np.full(len(wanted), -1), _shown(wanted)
    own = {name: [str(one) for one in wanted[name]] for name in ("symbol", "ensembl") if name in wanted}
    exact = {name: [at] for at, name in enumerate(ids)}
    steps = [(exact, list(map(str, wanted.index)))]
    steps += [(symbols, own["symbol"])] if "symbol" in own else []
    steps += [(ensembl, without_version(own.get("ensembl", wanted.index)))]
    for at, shown in enumerate(names):
        for known, keys in steps:
            found = known.get(keys[at], [])
            if len(found) > 1:
                twins = ", ".join(repr(ids[one]) for one in found[:3])
                raise DataError(
                    f"{where}: landmark {shown!r} is found {len(found)} times ({twins}): keep one"
                )
            if found:
                positions[at] = found[0]
                break
    _refuse_shared(positions, names, ids, where)
    missing = tuple(name for name, at in zip(names, positions, strict=True) if at < 0)
    return GeneMatch(positions, missing)


def _named(ids: list[str], given: pd.DataFrame, titles: set[str], change=None) -> dict[str, list[int]]:
    """Return name -> columns that bear it, in the ids or in a metadata column of one of the titles."""
    lists = [ids]
    for name in given.columns:
        if re.sub(r"[^a-z]", "", str(name).lower()) in titles:
            texts = [str(one) for one in given[name]]
            lists.append(change(texts) if change else texts)
    found: dict[str, list[int]] = {}
    for names in lists:
        for at, name in enumerate(names):
            places = found.setdefault(name, [])
            if at not in places:
                places.append(at)
    return {name: places for name, places in found.items() if name not in ("", "nan", "None")}


def _shown(wanted: pd.DataFrame) -> list[str]:
    symbols = wanted.get("symbol", wanted.index)
    blank = ("", "nan", "None")
    return [str(i) if str(s) in blank else str(s) for i, s in zip(wanted.index, symbols, strict=True)]


def _refuse_shared(positions: np.ndarray, names: list[str], ids: list[str], where: str) -> None:
    first: dict[int, str] = {}
    for at, name in zip(positions.tolist(), names, strict=True):
        if at >= 0 and at in first:
            raise DataError(
                f"{where}: {ids[at]!r} is both landmark {first[at]!r} and {name!r}: give it one name"
            )
        first[at] = name
