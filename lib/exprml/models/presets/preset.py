"""What a preset is: an estimator, its settings, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A model with its settings.

    Attributes
    ----------
    kind : type
        The estimator's class.
    parameters : dict
        What differs from the class's defaults.
    summary, source : str
        What it is, and where the settings come from.
    """

    kind: type
    parameters: dict[str, Any]
    summary: str
    source: str = "this book"
