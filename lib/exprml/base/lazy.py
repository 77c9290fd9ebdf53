"""Packages that bring their names in on first use: a page depends on what it uses, and not on the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def by_name(home: Mapping[str, str]) -> dict[str, str]:
    """Return name -> module from module -> names with blanks between."""
    return {name: module for module, listed in home.items() for name in listed.split()}


def names(package: str, home: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package whose names live in its modules (PEP 562).

    Parameters
    ----------
    package : str
        Its ``__name__``.
    home : dict
        Module of the package -> its names, blanks between. The package keeps it as ``_HOME``, written out:
        the keys of the notebooks are made of it (`exprml.base.code_hash`).
    """
    module_of = by_name(home)

    def find(name: str) -> Any:
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{module_of[name]}"), name)

    return find, lambda: sorted(module_of)
