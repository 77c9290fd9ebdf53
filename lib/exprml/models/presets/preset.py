"""What a preset is: an estimator, its settings, and where they come from; and the files that say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from exprml.base.errors import check_known
from exprml.base.files import from_yaml


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
    summary: str = ""
    source: str = "this book"


def read(module: str, *homes: ModuleType, beside: Mapping[str, Preset] | None = None) -> dict[str, Preset]:
    """Return the presets of the YAML file that has the name of a module and lies beside it.

    Each says its `model`, or which preset it is `like`: that one's class and settings are where it begins.
    What differs stands in `settings`; a list becomes a tuple, and an estimator inside another is said the
    same way. `shared` holds what several repeat.

    Parameters
    ----------
    module : str
        Its ``__file__``.
    *homes : module
        Where the classes are.
    beside : dict, optional
        Presets of another paper that some are like.
    """
    listed = from_yaml(Path(module).with_suffix(".yml").read_text(encoding="utf-8"))["presets"]
    known = dict(beside or {})
    for name, entry in listed.items():
        known[name] = _preset(entry, known, homes)
    return {name: known[name] for name in listed}


def _preset(entry: Mapping[str, Any], known: Mapping[str, Preset], homes: tuple[ModuleType, ...]) -> Preset:
    check_known("word of a preset", entry, ("model", "like", "settings", "summary", "source"))
    begun = known[entry["like"]] if "like" in entry else Preset(object, {})
    kind = next(
        (vars(home)[entry["model"]] for home in homes if entry.get("model") in vars(home)), begun.kind
    )
    settings = dict(begun.parameters)
    for name, value in entry.get("settings", {}).items():
        if isinstance(value, dict):
            inner = _preset(value, known, homes)
            value = inner.kind(**inner.parameters)
        settings[name] = tuple(value) if isinstance(value, list) else value
    about = {name: entry[name] for name in ("summary", "source") if name in entry}
    return Preset(kind, settings, **about)
