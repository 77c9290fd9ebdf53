"""Each paper's models by name: exactly as published, corrected, and the controls.

One module per paper holds its presets and cites where the settings come from; here they become one table.
"""

from __future__ import annotations

import inspect
from copy import deepcopy
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sklearn.base import BaseEstimator

from exprml.base.errors import ParameterError, UnknownNameError
from exprml.models.presets import bhukya2021, chen2016, controls, heil2022
from exprml.models.presets.preset import Preset

SEARCHED = Path(__file__).parents[1] / "searched.yml"  # preset -> data set -> rate, weight decay, source
PRESETS: dict[str, Preset] = {
    name: preset
    for paper in (heil2022, chen2016, bhukya2021, controls)
    for name, preset in paper.PRESETS.items()
}


def names() -> list[str]:
    """Return the names of all presets."""
    return list(PRESETS)


def _find(name: str) -> Preset:
    if name not in PRESETS:
        raise UnknownNameError("preset", name, PRESETS, "exprml.models.presets")
    return PRESETS[name]


@cache
def _searched() -> dict[str, dict[str, dict[str, Any]]]:
    return (yaml.safe_load(SEARCHED.read_text(encoding="utf-8")) or {}) if SEARCHED.is_file() else {}


def searched(name: str, tuned_on: str | None) -> dict[str, Any]:
    """Return what a committed search found for preset `name` on a data set: {} where there was none."""
    return dict(_searched().get(name, {}).get(tuned_on, {})) if tuned_on else {}


def make(name: str, *, tuned_on: str | None = None, **overrides: Any) -> BaseEstimator:
    """Return a new estimator with a preset's settings.

    Parameters
    ----------
    name : str
        See `names`.
    tuned_on : str, optional
        A data set ("gtex-toil"): take rate and weight decay from the committed search on it, if there
        is one.
    **overrides
        Parameters of the estimator that replace the preset's.

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    ParameterError
        If an override is no parameter of the estimator; names the nearest.
    """
    preset = _find(name)
    known = [one for one in inspect.signature(preset.kind).parameters if one != "self"]
    for one in overrides:
        if one not in known:
            near = get_close_matches(one, known, n=1, cutoff=0.5)
            hint = f": did you mean {near[0]!r}?" if near else f". Known: {', '.join(sorted(known))}."
            raise ParameterError(f"preset {name!r} has no parameter {one!r}{hint}")
    found = {key: value for key, value in searched(name, tuned_on).items() if key in known}
    return preset.kind(**deepcopy(preset.parameters | found | overrides))


def describe(name: str, *, tuned_on: str | None = None) -> dict[str, Any]:
    """Return a preset as a dict: name, summary, source, estimator, parameters (all of them).

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    """
    preset, found = _find(name), searched(name, tuned_on)
    estimator = make(name, tuned_on=tuned_on)
    return {
        "name": name,
        "summary": preset.summary,
        "source": found.get("source", preset.source),
        "estimator": preset.kind.__name__,
        "parameters": estimator.get_params(deep=False),
    }
