"""The literals of a parameters cell: read with their types, and new values checked against them."""

from __future__ import annotations

import ast
import contextlib
import types
import typing
from dataclasses import dataclass
from typing import Any

import yaml

from exprml.base.errors import ExprmlError, ParameterError

_KINDS = {
    "int": int, "float": float, "str": str, "bool": bool, "list": list, "tuple": tuple, "dict": dict,
    "Literal": typing.Literal, "None": None,
}  # fmt: skip
_REFUSED = object()


@dataclass(frozen=True)
class Parameter:
    """One literal of a parameters cell: its name, usual value and type."""

    name: str
    value: Any
    kind: Any


def parse(source: str, where: str) -> dict[str, Parameter]:
    """Return the parameters a cell declares, one `name: type = literal` a line.

    Raises
    ------
    ExprmlError
        If a statement is anything else: a computed value could not be listed or checked.
    """
    found, cell = {}, f"the parameters cell of {where}"
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            raise ExprmlError(f"{cell}, line {statement.lineno}: write `name: type = literal  # why`")
        name = statement.target.id
        try:
            value = ast.literal_eval(statement.value)
            kind = eval(ast.unparse(statement.annotation), {"__builtins__": {}}, dict(_KINDS))
        except (ValueError, NameError, TypeError, AttributeError) as error:
            raise ExprmlError(f"{cell}: {name!r} is no typed literal: {error}") from error
        found[name] = Parameter(name, fit(value, kind, f"parameter {name!r} of {where}"), kind)
    return found


def from_text(text: str, parameter: Parameter, where: str) -> Any:
    """Return the value a command line gave as text, read by the parameter's type.

    ``false`` is a boolean for a bool, and a word for a str.
    """
    options = _options(parameter.kind)
    if str in options or (options and all(isinstance(one, str) for one in options)):
        return fit(None if text == "None" and type(None) in options else text, parameter.kind, where)
    value = _read(text, as_float=float in options and int not in options, where=where)
    return fit(None if value == "None" else value, parameter.kind, where)


def _read(text: str, *, as_float: bool, where: str) -> Any:
    """Return a number from text that YAML may not see as one ("1e-3"), else what YAML sees in it."""
    if as_float:
        with contextlib.suppress(ValueError):
            return float(text)
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        said = getattr(error, "problem", None) or error
        raise ParameterError(f"{where}: {text!r} cannot be read as a value ({said})") from error


def fit(value: Any, kind: Any, where: str) -> Any:
    """Return `value` as type `kind` has it.

    Raises
    ------
    ParameterError
        If it is of another type; only an int for a float, and a list for a tuple, are taken over.
    """
    for option in _options(kind):
        fitted = _fit_one(value, option, where)
        if fitted is not _REFUSED:
            return fitted
    raise ParameterError(f"{where}: {value!r} is of type {type(value).__name__}, expected {_spelled(kind)}")


def _fit_one(value: Any, option: Any, where: str) -> Any:
    origin = typing.get_origin(option) or option
    if option is float and not isinstance(value, bool):
        return _as_float(value)
    if origin in (list, tuple) and isinstance(value, list | tuple):
        inner = [one for one in typing.get_args(option) if one is not Ellipsis]
        return origin(fit(one, inner[0], where) if len(inner) == 1 else one for one in value)
    if isinstance(origin, type):
        exact = isinstance(value, origin) and not (origin is int and isinstance(value, bool))
        return value if exact else _REFUSED
    return value if type(value) is type(option) and value == option else _REFUSED


def _as_float(value: Any) -> Any:
    """Return a float from a number or from text that YAML does not see as one ("1e-3")."""
    try:
        return float(value) if isinstance(value, int | float | str) else _REFUSED
    except ValueError:
        return _REFUSED


def _options(kind: Any) -> tuple[Any, ...]:
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return tuple(option for one in typing.get_args(kind) for option in _options(one))
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)
    return (type(None) if kind is None else kind,)


def _spelled(kind: Any) -> str:
    return " or ".join(
        one.__name__ if isinstance(one, type) and not typing.get_args(one) else str(one)
        for one in _options(kind)
    )
