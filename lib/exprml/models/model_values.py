"""A fitted estimator as JSON and named arrays, and back: nothing in it is ever run.

An estimator is its class, its constructor's parameters and what `fit` left in attributes whose names end in
``_``. Its class is one of this room, or of a few modules of scikit-learn; any other is neither written nor
read.
A network is its weights: its layers are built anew from the estimator's parameters.
"""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from torch import nn

from exprml.base.errors import DataError, FormatError
from exprml.models.layers import ends
from exprml.models.settings import resolve_device

_HOMES = re.compile(
    r"exprml\.models\.[a-z_]+|sklearn\.(decomposition|dummy|linear_model|pipeline|preprocessing)"
)
Arrays = dict[str, np.ndarray]


def describe(value: Any, arrays: Arrays, name: str = "model") -> Any:
    """Return `value` as something JSON can hold; arrays go to `arrays` under names that begin with `name`.

    Parameters
    ----------
    value : estimator, array, table, list, tuple, text, number, truth value or None
    arrays : dict
        Filled with the arrays, in the memory order they have (products differ in the last bit without it).
    name : str
        Where the value stands, for the names of the arrays and for messages.

    Raises
    ------
    DataError
        For a value of a kind that cannot be kept; names it.
    """
    if value is None or type(value) in (bool, str, int):
        return value
    match value:
        case np.generic():  # before float: numpy's float64 is one
            return {"scalar": describe(value.item(), arrays, name), "dtype": str(value.dtype)}
        case float():
            return value if math.isfinite(value) else {"float": str(value)}
        case np.ndarray():
            return _describe_array(value, arrays, name)
        case list() | tuple():
            parts = [describe(one, arrays, f"{name}.{at}") for at, one in enumerate(value)]
            return parts if isinstance(value, list) else {"tuple": parts}
        case pd.DataFrame():
            parts = [(str(one), value[one].to_numpy()) for one in value]
            return {"table": [[key, describe(one, arrays, f"{name}.{key}")] for key, one in parts]}
        case BaseEstimator():
            return _describe_estimator(value, arrays, name)
    raise DataError(f"{name} is a {type(value).__name__}: no kind of value that a model file can hold")


def restore(stored: Any, arrays: Mapping[str, np.ndarray], name: str = "model") -> Any:
    """Return what `describe` was given.

    Raises
    ------
    FormatError
        If something is missing, not what the description says, or an estimator that is not read.
    """
    match stored:
        case list():
            return [restore(one, arrays, f"{name}.{at}") for at, one in enumerate(stored)]
        case {"scalar": one, "dtype": kind}:
            return np.dtype(kind).type(restore(one, arrays, name))
        case {"float": text}:
            return float(text)
        case {"texts": texts}:
            return np.array(texts, dtype=object)
        case {"array": key, "order": order}:
            return _array(key, arrays).T if order == "F" else _array(key, arrays)
        case {"tuple": parts}:
            return tuple(restore(parts, arrays, name))
        case {"table": parts}:
            return pd.DataFrame({key: restore(one, arrays, f"{name}.{key}") for key, one in parts})
        case {"estimator": _}:
            return _restore_estimator(stored, arrays, name)
        case dict():
            raise FormatError(f"{name}: no kind of value that a model file holds: {sorted(stored)}")
    return stored


def _describe_array(value: np.ndarray, arrays: Arrays, name: str) -> dict[str, Any]:
    if value.dtype.kind in "OU":
        return {"texts": [describe(one, arrays, name) for one in value.tolist()]}
    if value.dtype.kind not in "biuf":
        raise DataError(f"{name} is an array of {value.dtype}: only numbers, truth values and texts are kept")
    turned = value.flags.f_contiguous and not value.flags.c_contiguous
    arrays[name] = np.array(value.T if turned else value, order="C")
    return {"array": name, "order": "F" if turned else "C"}


def _array(name: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if name not in arrays:
        raise FormatError(f"the array {name!r} is missing: the two files do not belong together")
    return arrays[name]


def _describe_estimator(model: BaseEstimator, arrays: Arrays, name: str) -> dict[str, Any]:
    module = ".".join(part for part in type(model).__module__.split(".") if not part.startswith("_"))
    kind = f"{module}.{type(model).__name__}"
    if _class_of(kind) is not type(model):
        raise DataError(f"{name} is no {kind} but something of the same name: it cannot be kept")
    parameters = model.get_params(deep=False)
    fitted = {key: one for key, one in vars(model).items() if _is_fitted(key) and key not in parameters}
    networks = {key: one for key, one in fitted.items() if isinstance(one, nn.Module)}
    for key, network in networks.items():
        states = network.state_dict().items()
        arrays |= {f"{name}.{key}.{state}": value.detach().cpu().numpy() for state, value in states}
    rest = {key: one for key, one in fitted.items() if key not in networks}
    return {
        "estimator": kind,
        "parameters": {key: describe(one, arrays, f"{name}.{key}") for key, one in parameters.items()},
        "fitted": {key: describe(one, arrays, f"{name}.{key}") for key, one in rest.items()},
        "networks": {key: ends(one) for key, one in networks.items()},
    }


def _is_fitted(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")


def _restore_estimator(stored: dict, arrays: Mapping[str, np.ndarray], name: str) -> BaseEstimator:
    kind = _class_of(stored["estimator"])
    known = kind._get_param_names()
    for group, fine in (("parameters", known.__contains__), ("fitted", _is_fitted), ("networks", _is_fitted)):
        wrong = next((one for one in stored[group] if not fine(one)), None)
        if wrong is not None:
            raise FormatError(f"{name}: {wrong!r} is nothing that {kind.__name__} keeps under {group!r}")
    parameters, fitted = (
        {key: restore(one, arrays, f"{name}.{key}") for key, one in stored[group].items()}
        for group in ("parameters", "fitted")
    )
    model = kind(**parameters)
    for key, value in fitted.items():
        setattr(model, key, value)
    for key, sizes in stored["networks"].items():
        setattr(model, key, _restore_network(model, sizes, arrays, f"{name}.{key}"))
    return model


def _restore_network(
    model: BaseEstimator, sizes: list[int], arrays: Mapping[str, np.ndarray], name: str
) -> nn.Module:
    network = model._draw_module(*sizes)
    weights = {
        key: torch.from_numpy(np.array(_array(f"{name}.{key}", arrays))) for key in network.state_dict()
    }
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise FormatError(f"{name}: the weights do not fit the layers: {error}") from error
    return network.to(resolve_device(model.device)).eval().requires_grad_(False)


def _class_of(name: str) -> type[BaseEstimator]:
    """Return the class of this qualified name, if it is one of ours or of what we keep of scikit-learn."""
    home, _, last = name.rpartition(".")
    found = None
    if _HOMES.fullmatch(home) and importlib.util.find_spec(home):
        found = getattr(importlib.import_module(home), last, None)
    ours = isinstance(found, type) and issubclass(found, BaseEstimator) and found.__module__.startswith(home)
    if not ours:
        raise FormatError(f"{name!r} is no estimator of the book or of scikit-learn: neither kept nor read")
    return found
