"""Hand a function only what it takes: estimators differ in what ``fit`` accepts beside X and y."""

from __future__ import annotations

from collections.abc import Callable
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
