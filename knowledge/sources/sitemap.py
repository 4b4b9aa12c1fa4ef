"""Sitemaps: lists of pages, and lists of such lists (sitemaps.org)."""

import zlib
from collections.abc import Iterator

from lxml import etree

from knowledge.sources.addresses import Site, tidy
from knowledge.sources.outside import FEED, get
from knowledge.sources.robots import Robots
from security.outbound.errors import OutboundError
from security.outbound.fetching import Fetched

MOST_LISTS = 50
MOST_BYTES = 50 * 1024 * 1024


def addresses_in(
    start: str, site: Site, robots: Robots, headers: dict[str, str], unread: list[str]
) -> Iterator[str]:
    """The pages of this site that are listed there, each once. What cannot be read lists none, and
    is added to `unread`."""
    waiting, known = [start], {start}
    for _number in range(MOST_LISTS):
        if not waiting:
            return
        address = waiting.pop(0)
        robots.wait(address)
        answer = _ask(address, headers)
        if answer is None:
            unread.append(address)
            continue
        for kind, place in _entries(answer.body):
            found = tidy(place, address)
            if found is None or found in known or not site.has(found):
                continue
            known.add(found)
            if kind == "sitemap":
                waiting.append(found)
            else:
                yield found
    unread += waiting


def _ask(address: str, headers: dict[str, str]) -> Fetched | None:
    """None where it cannot be told what is listed there; a list that is gone lists nothing."""
    try:
        answer = get(address, FEED, headers)
    except OutboundError:
        return None
    is_page = answer.body.lstrip()[:100].lower().startswith((b"<!doctype html", b"<html"))
    is_there = 200 <= answer.status < 300 and not is_page
    return answer if is_there or answer.status in {404, 410} else None


def _entries(body: bytes) -> Iterator[tuple[str, str]]:
    if body.startswith(b"\x1f\x8b"):
        body = _unpacked(body)
    if not body.lstrip().startswith(b"<"):
        yield from (("url", line.strip()) for line in body.decode(errors="replace").splitlines())
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    try:
        root = etree.fromstring(body, parser=parser)
    except etree.XMLSyntaxError:
        return
    for entry in root if root is not None else ():
        if isinstance(entry.tag, str):
            kind = etree.QName(entry).localname
            place = next((e.text for e in entry if isinstance(e.tag, str)
                          and etree.QName(e).localname == "loc"), None)  # fmt: skip
            if kind in {"url", "sitemap"} and place:
                yield kind, place.strip()


def _unpacked(body: bytes) -> bytes:
    """No more than fits: a small file may hold a very large one."""
    try:
        return zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(body, MOST_BYTES)
    except zlib.error:
        return b""
