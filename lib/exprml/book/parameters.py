"""The literals of a parameters cell: read with their types, and new values checked against them."""

from __future__ import annotations

import ast
import json
import typing
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from exprml.base.errors import ExprmlError, ParameterError

_NUMBER = Annotated[float, BeforeValidator(lambda one: float(one) if isinstance(one, str) else one)]
_KINDS = {
    "int": int, "float": _NUMBER, "str": str, "bool": bool, "list": list, "tuple": tuple, "dict": dict,
    "Literal": typing.Literal,
}  # fmt: skip


@dataclass(frozen=True)
class Parameter:
    """One literal of a parameters cell: its name, usual value and type as it is written."""

    name: str
    value: Any
    kind: str


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
            value, kind = ast.literal_eval(statement.value), ast.unparse(statement.annotation)
            _checker(kind)
        except (ValueError, NameError, TypeError, AttributeError) as error:
            raise ExprmlError(f"{cell}: {name!r} is no typed literal: {error}") from error
        found[name] = Parameter(name, fit(value, kind, f"parameter {name!r} of {where}"), kind)
    return found


def fit(value: Any, kind: str, where: str) -> Any:
    """Return `value` as type `kind` has it.

    Raises
    ------
    ParameterError
        If it is of another type; only an int for a float, a float in quotes ("1e-3", which YAML does not see
        as a number), and a list for a tuple, are taken over.
    """
    try:
        return _checker(kind).validate_json(json.dumps(value, default=str), strict=True)
    except ValidationError:
        found = type(value).__name__
        raise ParameterError(f"{where}: {value!r} is of type {found}, expected {kind}") from None


@cache
def _checker(kind: str) -> TypeAdapter:
    return TypeAdapter(eval(kind, {"__builtins__": {}}, dict(_KINDS)))
