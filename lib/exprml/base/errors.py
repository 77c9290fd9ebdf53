"""Errors that say what is wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ExprmlError(Exception):
    """Anything the book refuses; the message names the thing and the remedy."""


class ParameterError(ExprmlError, ValueError):
    """A parameter whose value or type cannot be used."""


class UnknownNameError(ParameterError, KeyError):
    """A name that is in no list: a data set, a notebook, a preset, a profile, the choice of an option.

    Parameters
    ----------
    kind : str
        What was looked up, as the reader calls it ("data set", "parameter").
    name : str
        The name that was not found.
    known : iterable of str
        The names that exist; the nearest one is suggested.
    where : str, optional
        Where the names are listed, for the reader to look ("data/catalogue.yml").
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str | None = None) -> None:
        known = sorted(str(one) for one in known)
        near = get_close_matches(str(name), known, n=1, cutoff=0.5)
        message = f"unknown {kind} {name!r}"
        message += f": did you mean {near[0]!r}?" if near else "."
        message += f" Known: {', '.join(known)}." if known and len(known) <= 30 else ""
        message += f" They are listed in {where}." if where else ""
        self.message = message
        super().__init__(message)

    def __str__(self) -> str:
        return self.message  # KeyError would print the quoted repr


def check_known(kind: str, names: Iterable[str], known: Iterable[str], where: str | None = None) -> None:
    """Raise `UnknownNameError` for the first of `names` that is not among `known`; see there."""
    known = list(known)
    for name in names:
        if name not in known:
            raise UnknownNameError(kind, name, known, where)


class DataError(ExprmlError, ValueError):
    """A table, matrix or file whose content contradicts itself or what was asked of it."""


def require_columns(table: Iterable[object], names: Iterable[object], where: str) -> None:
    """Raise `DataError` for the first of the columns that a table lacks."""
    absent = [name for name in names if name not in table]
    if absent:
        there = ", ".join(map(str, list(table)[:12]))
        raise DataError(f"{where}: no column {absent[0]!r}, only {there}")


class FormatError(DataError):
    """A file that is not what its name or header claims."""


class DownloadError(ExprmlError, OSError):
    """A file that could not be fetched, or arrived damaged; nothing of it was kept."""


class NotAvailableError(ExprmlError):
    """Data that cannot be had here under the chosen policy."""
