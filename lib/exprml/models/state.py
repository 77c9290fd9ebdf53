"""A fitted estimator as JSON and named arrays, and back: nothing in it is ever run.

Estimators, layers and their settings are known by name; a name that is not in the lists below is refused. An
estimator is its constructor's parameters and what `fit` left in attributes whose names end in ``_``.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator
from torch import nn

from exprml.base.errors import DataError, FormatError, UnknownNameError
from exprml.models.settings import resolve_device

ESTIMATORS = {
    "LeastSquares": "exprml.models.least_squares",
    "TunedRidge": "exprml.models.least_squares",
    "ReducedRankRegression": "exprml.models.least_squares",
    "ComponentRegression": "exprml.models.least_squares",
    "Lasso": "exprml.models.lasso",
    "TunedLasso": "exprml.models.lasso",
    "LandmarkNeighbours": "exprml.models.neighbours",
    "NetworkRegressor": "exprml.models.networks",
    "SplitTargets": "exprml.models.split_targets",
    "Autoencoder": "exprml.models.autoencoders",
    "EncodedRegressor": "exprml.models.autoencoders",
    "PCA": "sklearn.decomposition",
    "StandardScaler": "sklearn.preprocessing",
    "DummyRegressor": "sklearn.dummy",
    "Pipeline": "sklearn.pipeline",
}
LAYERS = {  # layer -> what its constructor needs
    "Linear": ("in_features", "out_features", "bias"),
    "BatchNorm1d": ("num_features", "eps", "momentum"),
    "Dropout": ("p",),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "ReLU": (),
    "Tanh": (),
    "Sigmoid": (),
    "Identity": (),
}
Arrays = dict[str, np.ndarray]


def describe(value: Any, arrays: Arrays, name: str = "model") -> Any:
    """Return `value` as something JSON can hold; arrays go to `arrays` under names that begin with `name`.

    Parameters
    ----------
    value : estimator, network, array, table, list, tuple, slice, dict, text, number, truth value or None
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
    for kind, described in _DESCRIBERS:
        if isinstance(value, kind):
            return described(value, arrays, name)
    raise DataError(f"{name} is a {type(value).__name__}: no kind of value that a model file can hold")


def restore(stored: Any, arrays: Mapping[str, np.ndarray], name: str = "model") -> Any:
    """Return what `describe` was given.

    Raises
    ------
    FormatError
        If something is missing or not what the description says.
    UnknownNameError
        If an estimator or a layer is none of ours.
    """
    if isinstance(stored, list):
        return [restore(one, arrays, f"{name}.{at}") for at, one in enumerate(stored)]
    if not isinstance(stored, dict):
        return stored
    kind = next((one for one in _RESTORERS if one in stored), None)
    if kind is None:
        raise FormatError(f"{name}: none of the kinds {', '.join(_RESTORERS)}: {sorted(stored)}")
    return _RESTORERS[kind](stored, arrays, name)


def _describe_scalar(value: np.generic, arrays: Arrays, name: str) -> Any:
    return {"scalar": describe(value.item(), arrays, name), "dtype": str(value.dtype)}


def _describe_float(value: float, arrays: Arrays, name: str) -> Any:
    return value if math.isfinite(value) else {"float": str(value)}


def _describe_list(value: list, arrays: Arrays, name: str) -> list:
    return [describe(one, arrays, f"{name}.{at}") for at, one in enumerate(value)]


def _describe_slice(value: slice, arrays: Arrays, name: str) -> dict[str, Any]:
    return {"slice": [describe(one, arrays, name) for one in (value.start, value.stop, value.step)]}


def _describe_dict(value: dict, arrays: Arrays, name: str) -> dict[str, Any]:
    wrong = next((one for one in value if not isinstance(one, str)), None)
    if wrong is not None:
        raise DataError(f"{name} has the key {wrong!r}: only texts can name what a model file holds")
    return {"dict": {key: describe(one, arrays, f"{name}.{key}") for key, one in value.items()}}


def _describe_table(value: pd.DataFrame, arrays: Arrays, name: str) -> dict[str, Any]:
    columns = [(str(one), value[one].to_numpy()) for one in value]
    return {"table": [[key, describe(one, arrays, f"{name}.{key}")] for key, one in columns]}


def _describe_array(value: np.ndarray, arrays: Arrays, name: str) -> dict[str, Any]:
    if value.dtype.kind in "OU":
        return {"texts": [describe(one, arrays, name) for one in value.tolist()]}
    if value.dtype.kind not in "biuf":
        raise DataError(f"{name} is an array of {value.dtype}: only numbers, truth values and texts are kept")
    turned = value.flags.f_contiguous and not value.flags.c_contiguous
    arrays[name] = np.array(value.T if turned else value, order="C")
    return {"array": name, "order": "F" if turned else "C"}


def _describe_estimator(model: BaseEstimator, arrays: Arrays, name: str) -> dict[str, Any]:
    kind = type(model).__name__
    if kind not in ESTIMATORS or type(model) is not _class_of(kind):
        raise UnknownNameError("estimator to keep", kind, ESTIMATORS)
    parameters = model.get_params(deep=False)
    fitted = {key: one for key, one in vars(model).items() if _is_fitted(key) and key not in parameters}
    return {
        "estimator": kind,
        "parameters": {key: describe(one, arrays, f"{name}.{key}") for key, one in parameters.items()},
        "fitted": {key: describe(one, arrays, f"{name}.{key}") for key, one in fitted.items()},
    }


def _is_fitted(name: str) -> bool:
    return name.endswith("_") and not name.startswith("_")


def _describe_module(module: nn.Module, arrays: Arrays, name: str) -> dict[str, Any]:
    for key, value in module.state_dict().items():
        arrays[f"{name}.{key}"] = value.detach().cpu().numpy()
    linear = [one.weight for one in module.modules() if isinstance(one, nn.Linear)]
    return {"network": _layers(module, name, linear), "arrays": name}


def _layers(module: nn.Module, name: str, linear: list[nn.Parameter]) -> Any:
    """Return the layers of a sequential network by name, with what their constructors need.

    A layer that shares its weights says with which of the network's linear layers.
    """
    if type(module) is nn.Sequential:
        return [_layers(one, name, linear) for one in module]
    kind = type(module).__name__
    if kind == "TiedLinear":
        return {"layer": kind, "to": next(at for at, one in enumerate(linear) if one is module.weight)}
    if kind not in LAYERS:
        raise UnknownNameError(f"layer in {name}", kind, LAYERS)
    settings = {key: getattr(module, key) for key in LAYERS[kind]}
    if "bias" in settings:
        settings["bias"] = settings["bias"] is not None
    return {"layer": kind, "settings": settings}


def _restore_array(stored: dict, arrays: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    found = _array(stored["array"], arrays)
    return found.T if stored.get("order") == "F" else found


def _array(name: str, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    if name not in arrays:
        raise FormatError(f"the array {name!r} is missing: the two files do not belong together")
    return arrays[name]


def _restore_estimator(stored: dict, arrays: Mapping[str, np.ndarray], name: str) -> BaseEstimator:
    kind = _class_of(stored["estimator"])
    known = kind._get_param_names()
    for group, fine in (("parameters", known.__contains__), ("fitted", _is_fitted)):
        wrong = next((one for one in stored[group] if not fine(one)), None)
        if wrong is not None:
            raise FormatError(f"{name}: {wrong!r} is nothing that {kind.__name__} keeps under {group!r}")
    values = {
        group: {key: restore(one, arrays, f"{name}.{key}") for key, one in stored[group].items()}
        for group in ("parameters", "fitted")
    }
    model = kind(**values["parameters"])
    for key, value in values["fitted"].items():
        if isinstance(value, nn.Module):
            value = value.to(resolve_device(values["parameters"].get("device", "cpu")))
        setattr(model, key, value)
    return model


def _class_of(name: str) -> type[BaseEstimator]:
    if name not in ESTIMATORS:
        raise UnknownNameError("estimator", name, ESTIMATORS)
    return getattr(importlib.import_module(ESTIMATORS[name]), name)


def _restore_module(stored: dict, arrays: Mapping[str, np.ndarray], name: str) -> nn.Module:
    module = _built(stored["network"], name, [])
    wanted = {key: _array(f"{stored['arrays']}.{key}", arrays) for key in module.state_dict()}
    try:
        module.load_state_dict({key: torch.from_numpy(np.array(one)) for key, one in wanted.items()})
    except RuntimeError as error:
        raise FormatError(f"{name}: the weights do not fit the layers: {error}") from error
    return module.eval().requires_grad_(False)


def _built(stored: Any, name: str, linear: list[nn.Linear]) -> nn.Module:
    """Return the layers with first weights; `linear` collects the linear ones, for those tied to them."""
    if isinstance(stored, list):
        return nn.Sequential(*(_built(one, name, linear) for one in stored))
    if stored["layer"] == "TiedLinear":
        from exprml.models.autoencoders import TiedLinear

        return TiedLinear(linear[stored["to"]])
    if stored["layer"] not in LAYERS:
        raise UnknownNameError(f"layer in {name}", stored["layer"], LAYERS)
    layer = getattr(nn, stored["layer"])(**{key: stored["settings"][key] for key in LAYERS[stored["layer"]]})
    linear += [layer] if isinstance(layer, nn.Linear) else []
    return layer


def _restore_all(key: str, into: Any) -> Any:
    def restored(stored: dict, arrays: Mapping[str, np.ndarray], name: str) -> Any:
        held = stored[key]
        if isinstance(held, dict):
            return into({one: restore(part, arrays, f"{name}.{one}") for one, part in held.items()})
        return into(restore(part, arrays, f"{name}.{at}") for at, part in enumerate(held))

    return restored


_DESCRIBERS = (
    (np.generic, _describe_scalar),  # before float: numpy's float64 is one
    (float, _describe_float),
    (np.ndarray, _describe_array),
    (tuple, lambda value, arrays, name: {"tuple": _describe_list(value, arrays, name)}),
    (list, _describe_list),
    (slice, _describe_slice),
    (dict, _describe_dict),
    (pd.DataFrame, _describe_table),
    (BaseEstimator, _describe_estimator),
    (nn.Module, _describe_module),
)
_RESTORERS = {
    "float": lambda stored, arrays, name: float(stored["float"]),
    "scalar": lambda stored, arrays, name: np.dtype(stored["dtype"]).type(restore(stored["scalar"], arrays)),
    "array": _restore_array,
    "texts": _restore_all("texts", lambda parts: np.array(list(parts), dtype=object)),
    "tuple": _restore_all("tuple", tuple),
    "slice": _restore_all("slice", lambda parts: slice(*parts)),
    "dict": _restore_all("dict", dict),
    "table": _restore_all("table", lambda parts: pd.DataFrame(dict(parts))),
    "estimator": _restore_estimator,
    "network": _restore_module,
}
