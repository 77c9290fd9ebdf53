"""Each paper's models by name: exactly as published, corrected, and the controls.

A table per paper (YAML) holds its presets and cites where the settings come from; the module of the same name
reads it when one of them is asked for, so that a page depends on the presets of its own paper only.
"""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from sklearn.base import BaseEstimator

from exprml.base.errors import UnknownNameError, check_known
from exprml.base.files import from_yaml
from exprml.base.lazy import by_name
from exprml.models.presets.preset import Preset

SEARCHED = Path(__file__).parents[1] / "searched.yml"  # preset -> data set -> rate, weight decay, source
_HOME = {  # module of this folder -> presets, or the parts of their names before the stroke
    "heil2022": "heil2022 corrected",
    "chen2016": "chen2016 corrected/d-gex",
    "bhukya2021": "bhukya2021 corrected/autoencoder corrected/e-mlp",
    "mcdermott2020": "mcdermott2020 corrected/ff-ann corrected/gcnn corrected/knn-correlation "
    "corrected/self-normalising-network",
    "okeke2023": "okeke2023 corrected/dense-autoencoder corrected/linear-autoencoder "
    "corrected/tied-autoencoder corrected/denoising-autoencoder corrected/sparse-autoencoder "
    "corrected/variational-autoencoder control/no-change control/mean-of-others",
    "controls": "control corrected/ridge",
}


def _presets(module: str) -> dict[str, Preset]:
    return import_module(f"{__name__}.{module}").PRESETS


def names() -> list[str]:
    """Return the names of all presets."""
    return [name for module in _HOME for name in _presets(module)]


def _find(name: str) -> Preset:
    homes = by_name(_HOME)
    home = homes.get(name) or homes.get(name.partition("/")[0])
    found = _presets(home).get(name) if home else None
    if found is None:
        raise UnknownNameError("preset", name, names(), "exprml.models.presets")
    return found


@cache
def _searched() -> dict[str, dict[str, dict[str, Any]]]:
    return (from_yaml(SEARCHED.read_text(encoding="utf-8")) or {}) if SEARCHED.is_file() else {}


def searched(dataset: str) -> dict[str, dict[str, Any]]:
    """Return what the committed search on a data set found, by preset; empty where there was none."""
    return {name: dict(by_data[dataset]) for name, by_data in _searched().items() if dataset in by_data}


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
        If there is no such preset, or an override is no parameter of the estimator; names the nearest.
    """
    preset = _find(name)
    known = signature(preset.kind).parameters
    check_known("parameter", overrides, known, f"preset {name!r}, a {preset.kind.__name__}")
    found = searched(tuned_on).get(name, {}) if tuned_on else {}
    found.pop("source", None)
    return preset.kind(**deepcopy(preset.parameters | found | overrides))


def describe(name: str) -> dict[str, Any]:
    """Return a preset as a dict: summary, source, parameters (all of them).

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    """
    preset = _find(name)
    parameters = make(name).get_params(deep=False)
    return {"summary": preset.summary, "source": preset.source, "parameters": parameters}
