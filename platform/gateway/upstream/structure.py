"""How an answer of a given form is asked of a server: choices, JSON Schema, regex, grammar.

`structure_fields` knows only what servers enforce while they decode; what they cannot is for
`gateway.upstream.emulation`.
"""

import re
from typing import Any

import orjson

from gateway.controls import Capability, Controls
from gateway.errors import BadRequest
from gateway.types import Route
from gateway.upstream.servers import VLLMS, Server, server_of
from security.sentences import Sentence

_CAPABILITIES = {
    "choices": Capability.CHOICES,
    "json_schema": Capability.JSON_SCHEMA,
    "regex": Capability.REGEX,
    "grammar": Capability.GRAMMAR,
}


def demanded_form(controls: Controls) -> str:
    """Which of the four is set, "" for none; raises BadRequest for more than one."""
    found = [name for name in _CAPABILITIES if getattr(controls, name)]
    if len(found) > 1:
        raise BadRequest(Sentence("only_one_form", names=found))
    return found[0] if found else ""


def structure_fields(route: Route, controls: Controls) -> dict[str, Any] | None:
    """The fields that make this server keep to the form; None when it cannot."""
    form = demanded_form(controls)
    if not form:
        return {}
    if _CAPABILITIES[form] not in route.capabilities:
        return None
    value = getattr(controls, form)
    server = server_of(route)
    if form == "json_schema":
        return _schema_fields(server, value)
    if form == "choices":
        return _choice_fields(server, list(value))
    return _regex_fields(server, value) if form == "regex" else _grammar_fields(server, value)


def _schema_fields(server: Server, schema: dict[str, Any]) -> dict[str, Any] | None:
    strict = is_strict(schema)
    if server is Server.OPENAI and not strict:
        return None  # it would only try
    named = {"name": "answer", "schema": dict(schema), "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def _choice_fields(server: Server, choices: list[str]) -> dict[str, Any] | None:
    if server in VLLMS:
        return _vllm(server, "choice", choices)
    if server is Server.LLAMA_CPP:
        return {"grammar": f"root ::= {' | '.join(map(_literal, choices))}"}
    return _regex_fields(server, "|".join(map(re.escape, choices)))


def _regex_fields(server: Server, pattern: str) -> dict[str, Any] | None:
    match server:
        case Server.VLLM | Server.VLLM_GUIDED:
            return _vllm(server, "regex", pattern)
        case Server.SGLANG:
            return {"regex": f"({pattern})"}
        case Server.TGI:
            return {"response_format": {"type": "regex", "value": f"({pattern})"}}
        case Server.LLAMA_CPP:  # built with LLGuidance
            escaped = re.sub(r"(?<!\\)/", r"\\/", pattern)
            return {"grammar": f"%llguidance {{}}\nstart: /{escaped}/"}
        case _:
            return None


def _grammar_fields(server: Server, grammar: str) -> dict[str, Any] | None:
    match server:
        case Server.VLLM | Server.VLLM_GUIDED:
            return _vllm(server, "grammar", grammar)
        case Server.SGLANG:
            return {"ebnf": grammar}
        case Server.LLAMA_CPP | Server.UNKNOWN:
            return {"grammar": grammar}
        case _:
            return None


def _vllm(server: Server, kind: str, value: Any) -> dict[str, Any]:
    if server is Server.VLLM_GUIDED:
        return {f"guided_{kind}": value}
    return {"structured_outputs": {kind: value}}


def _literal(text: str) -> str:
    """A GBNF string: its escapes are those of JSON, but for characters beyond the first plane,
    which JSON leaves as they are."""
    return orjson.dumps(text).decode()


def is_strict(schema: Any) -> bool:
    """Whether OpenAI takes the schema as `strict`: each object closed, each property required."""
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, dict):
        return True
    properties = schema.get("properties")
    if isinstance(properties, dict) or schema.get("type") == "object":
        names = set(properties or {})
        is_closed = schema.get("additionalProperties") is False
        if not is_closed or names != set(schema.get("required", ())):
            return False
    return all(map(is_strict, schema.values()))
