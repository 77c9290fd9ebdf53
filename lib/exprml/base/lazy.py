"""Packages that bring their names in on first use: a page depends on what it uses, and not on the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def names(package: str, home: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose names live in its modules (PEP 562).

    Parameters
    ----------
    package : str
        Its ``__name__``.
    home : dict
        Name -> module of the package. The package keeps it as ``_HOME``, written out: the keys of the
        notebooks are made of it (`exprml.base.code_hash`).
    """

    def find(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    return find, lambda: sorted(home)
