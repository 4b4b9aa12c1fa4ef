"""A tool's JSON Schema from the signature of its function, and its arguments checked against it."""

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from agents.tools.types import ToolRefused

SHOWN_ERRORS = 5


def arguments_of(function: Callable[..., Any]) -> type[BaseModel]:
    """A model of every parameter but the first (the call); unknown names are refused.

    Raises TypeError where a parameter has no type, or is one of a variable number.
    """
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f"{function.__name__}: *{parameter.name} has no schema")
        if parameter.name not in hints:
            raise TypeError(f"{function.__name__}: {parameter.name} has no type")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    return create_model(function.__name__, __config__=ConfigDict(extra="forbid"), **fields)


def schema_of(arguments: type[BaseModel]) -> dict[str, Any]:
    """Without the titles that pydantic adds: every character of it is in every prompt."""
    schema = _without_titles(arguments.model_json_schema())
    return {"type": "object", "properties": {}, **schema}


def _without_titles(value: Any, *, names: bool = False) -> Any:
    """`names` where the keys are a schema's own names: a parameter may be called `title`."""
    if isinstance(value, dict):
        return {
            key: _without_titles(one, names=not names and key in ("properties", "$defs"))
            for key, one in value.items()
            if names or key != "title"
        }
    return [_without_titles(one) for one in value] if isinstance(value, list) else value


def read_arguments(arguments: type[BaseModel], text: str) -> dict[str, Any]:
    """What the model wrote, checked; raises ToolRefused with what to write instead."""
    try:
        given = json.loads(text or "{}")
    except ValueError as error:
        raise ToolRefused(f"The arguments are no JSON: {error}.") from None
    return check_arguments(arguments, given)


def check_arguments(arguments: type[BaseModel], given: Any) -> dict[str, Any]:
    """The same of values; raises ToolRefused."""
    if not isinstance(given, Mapping):
        raise ToolRefused("The arguments must be a JSON object.")
    try:
        found = arguments.model_validate(dict(given))
    except ValidationError as error:
        wrong = [
            f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}"
            for one in error.errors(include_url=False)[:SHOWN_ERRORS]
        ]
        raise ToolRefused("; ".join(wrong)) from None
    return {name: getattr(found, name) for name in type(found).model_fields}
