"""Hand a function only what it takes: estimators differ in what ``fit`` accepts beside X and y."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any


def taken(function: Callable[..., Any], options: dict[str, Any]) -> dict[str, Any]:
    """Return the options that a function has parameters for and that are not None.

    Parameters
    ----------
    function : callable
        An estimator's ``fit``.
    options : dict
        Groups, validation samples and the like, by the name of the parameter.
    """
    known = signature(function).parameters
    return {name: value for name, value in options.items() if name in known and value is not None}


def shared_out(options: Mapping[str, Any], *functions: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return for each function the options that it has parameters for, and last those that none has."""
    known = [signature(one).parameters for one in functions]
    parts = [{name: one for name, one in options.items() if name in names} for names in known]
    return [*parts, {name: one for name, one in options.items() if not any(name in part for part in parts)}]
