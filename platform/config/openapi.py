"""What ninja leaves out of the OpenAPI document: the problems each operation may answer with."""

from typing import Any

from ninja.openapi.schema import OpenAPISchema

from config.problems import CONTENT_TYPE, TYPE_PREFIX

PROBLEM = {
    "title": "Problem",
    "description": "An error as RFC 9457 describes it.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "Stable; made for programs."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do, in the language of the caller."},
        "errors": {
            "type": "array",
            "description": "Fields that are not valid: `pointer` (RFC 6901) or `parameter`.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string"},
                    "parameter": {"type": "string"},
                    "in": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
    "examples": [
        {
            "type": f"{TYPE_PREFIX}not-found",
            "title": "Not found",
            "status": 404,
            "detail": "There is nothing at this address that you may see. "
            "Check the id and your rights.",
        }
    ],
}


def complete(document: OpenAPISchema) -> OpenAPISchema:
    """The document with problem responses and the scopes that a token needs."""
    document["components"]["schemas"]["Problem"] = PROBLEM
    for path, operations in document["paths"].items():
        for operation in operations.values():
            for status, text in _problems(path, operation).items():
                operation["responses"].setdefault(status, _response(text))
    return document


def _problems(path: str, operation: dict[str, Any]) -> dict[int, str]:
    found = {}
    if operation.get("security"):
        found[401] = "No valid token and no session"
        found[403] = "The token lacks a scope, or the session its CSRF token"
    if "{" in path:
        found[404] = "Nothing there that you may see"
    body = operation.get("requestBody")
    if body:
        found |= {400: "The body cannot be read", 413: "The body is too large"}
        found[415] = "The body has another type than " + " or ".join(body["content"])
    if body or operation.get("parameters"):
        found[422] = "Some of the input is not valid"
    return found


def _response(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {CONTENT_TYPE: {"schema": schema}}}
