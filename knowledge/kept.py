"""What was read in a file, as it is kept: so that nothing after reading needs the file again."""

import base64
import zlib
from dataclasses import asdict, fields, replace
from typing import Any

import orjson

from knowledge.types import Block, BlockKind, Drawn, Extracted, Mark

LEVEL = 1  # the fastest: what lies beside a text is mostly repeats


def pack(extracted: Extracted, *, whole: bool = False) -> bytes:
    """Everything but the text and the pictures, which are stored beside it; `whole`: with these."""
    kept = {
        field.name: getattr(extracted, field.name)
        for field in fields(extracted)
        if field.name not in {"text", "figures"}
    }
    kept["length"] = len(extracted.text)
    kept["has_figures"] = bool(extracted.figures)
    if whole:
        kept["text"] = extracted.text
        kept["figures"] = [_encoded(drawn) for drawn in extracted.figures]
    return zlib.compress(orjson.dumps(kept), LEVEL)


def unpack(kept: bytes, text: str | None = None) -> Extracted | None:
    """What was packed; `text` is the stored one, which may go on behind what was read.

    None where it was written by a program that knew other fields: then the file is read again.
    """
    try:
        found: dict[str, Any] = orjson.loads(zlib.decompress(kept))
        length = found.pop("length")
        found.pop("has_figures")
        found["blocks"] = tuple(_block(block) for block in found["blocks"])
        found["figures"] = tuple(_decoded(drawn) for drawn in found.get("figures", ()))
        found.setdefault("text", "" if text is None else text[:length])
        return _extracted(found) if len(found["text"]) == length else None
    except (KeyError, TypeError, ValueError, zlib.error):
        return None


def has_figures(kept: bytes) -> bool:
    return bool(orjson.loads(zlib.decompress(kept)).get("has_figures"))


def source_text(kept: bytes | None, text: str) -> str:
    """What the file says of a stored text: what stands behind it are words of people."""
    if kept is None:
        return text
    length: int = orjson.loads(zlib.decompress(kept)).get("length", len(text))
    return text[:length]


def _extracted(found: dict[str, Any]) -> Extracted:
    """Lists of the stored form as the tuples they were."""
    made = Extracted(**found)
    lists: dict[str, Any] = {
        field.name: tuple(value)
        for field in fields(made)
        if isinstance(value := getattr(made, field.name), list)
    }
    return replace(made, **lists)


def _block(block: dict[str, Any]) -> Block:
    marks = tuple(Mark(**mark) for mark in block["marks"])
    return Block(**{**block, "kind": BlockKind(block["kind"]), "marks": marks})


def _encoded(drawn: Drawn) -> dict[str, Any]:
    return {**asdict(drawn), "data": base64.b64encode(drawn.data).decode()}


def _decoded(drawn: dict[str, Any]) -> Drawn:
    return Drawn(**{**drawn, "data": base64.b64decode(drawn["data"])})
