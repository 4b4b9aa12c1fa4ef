"""What a tool of somebody else's gave back, as far as it is used: words. Pictures and resources are
named and never loaded, and what cannot be seen is removed."""

import json
from typing import Any

from mcp_types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from agents.mcp_client.types import Heard
from security.text import storable

MOST_CHARS = 1_000_000  # of the words; a model reads far less of them (`Tool.result_chars`)
MOST_STRUCTURED = 200_000  # characters of JSON that the card may show
MOST_NAMED = 50
MOST_NAME = 300


def heard(result: CallToolResult) -> Heard:
    words, named = [], []
    for part in result.content:
        match part:
            case TextContent():
                words.append(part.text)
            case EmbeddedResource(resource=TextResourceContents() as resource):
                words.append(resource.text)
            case _:
                named.append(_name_of(part))
    structured = _kept(result.structured_content)
    if not words and structured is not None:
        words.append(json.dumps(structured, ensure_ascii=False))
    words += [f"({one['kind']}: {one['name']})" for one in named[:MOST_NAMED]]
    return Heard(
        storable("\n\n".join(words))[:MOST_CHARS],
        is_error=bool(result.is_error),
        structured=structured,
        named=tuple(named[:MOST_NAMED]),
    )


def _name_of(part: Any) -> dict[str, str]:
    match part:
        case ImageContent():
            return {"kind": "image", "name": storable(part.mime_type)[:MOST_NAME]}
        case AudioContent():
            return {"kind": "audio", "name": storable(part.mime_type)[:MOST_NAME]}
        case ResourceLink():
            return {"kind": "resource", "name": storable(str(part.uri))[:MOST_NAME]}
        case EmbeddedResource():
            return {"kind": "resource", "name": storable(str(part.resource.uri))[:MOST_NAME]}
    return {"kind": "other", "name": "?"}


def _kept(structured: Any) -> Any:
    """What is too much to show, and what Postgres cannot hold, is left out."""
    if structured is None:
        return None
    try:
        text = json.dumps(structured, allow_nan=False)
    except (ValueError, TypeError):
        return None
    if len(text) > MOST_STRUCTURED or "\\u0000" in text or "\\ud" in text:
        return None
    return structured
