"""RSS and Atom: every entry is an item. What leaves the feed is not gone, only older."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BytesIO
from typing import Any

import feedparser
from django.utils.translation import gettext as _

from knowledge.file_names import printable
from knowledge.sources.addresses import tidy
from knowledge.sources.connector import Found, Gone, ItemFailed, SourceUnusable, Walk
from knowledge.sources.outside import FEED, authorization, get
from knowledge.sources.pages import clean_fragment, name_of, read_page
from knowledge.sources.robots import Robots
from knowledge.sources.settings import FeedSettings
from knowledge.sources.web import ONE_PAGE
from knowledge.storage import Readable
from security.outbound.errors import OutboundError

MOST_ENTRIES = 1000


class FeedConnector:
    """The mark of an entry is made of what the feed says of it."""

    def __init__(self, settings: FeedSettings, secret: str, state: str = "") -> None:
        self._settings = settings
        self._headers = authorization(secret)
        self.is_complete, self.lists_changes = False, True
        self.cursor: dict[str, object] = {}
        self.total: int | None = None
        self.remark = ""

    def walk(self, walk: Walk) -> Iterator[Found | Gone]:
        self._robots = Robots(self._settings.pause_seconds, walk.check)
        entries = self._entries()
        self.total = len(entries)
        for entry in entries:
            walk.check()
            yield _found(entry, self._settings)

    def fetch(self, found: Found) -> AbstractContextManager[Readable]:
        if found.body is not None and not (self._settings.has_full_pages and found.address):
            return nullcontext(BytesIO(found.body))
        return self._page(found)

    def close(self) -> None:
        """Nothing is open between two items."""

    @contextmanager
    def _page(self, found: Found) -> Iterator[Readable]:
        """The page that the entry is about; credentials are for the feed alone."""
        if not self._robots.admit(found.address):
            raise ItemFailed(_("The site does not want robots there."))
        self._robots.wait(found.address)
        try:
            answer = get(found.address, ONE_PAGE)
        except OutboundError as error:
            raise ItemFailed(str(error)) from error
        if not 200 <= answer.status < 300:
            raise ItemFailed(_("The site answered %(status)s.") % {"status": answer.status})
        page = read_page(answer)
        if page.is_empty:
            raise ItemFailed(_("The page has no text."), may_try_again=False)
        found.file_name = name_of(found.address, answer.media_type, found.title)
        yield BytesIO(page.body)

    def _entries(self) -> list[Any]:
        try:
            answer = get(self._settings.address, FEED, self._headers)
        except OutboundError as error:
            raise SourceUnusable(str(error)) from error
        if not 200 <= answer.status < 300:
            raise SourceUnusable(_("The site answered %(status)s.") % {"status": answer.status})
        # A stream: text that looks like an address would be fetched by the library itself.
        parsed = feedparser.parse(
            BytesIO(answer.body), resolve_relative_uris=False,
            response_headers={"content-location": answer.url},
        )  # fmt: skip
        if not parsed.entries and not parsed.get("version"):
            raise SourceUnusable(_("There is no feed at this address."))
        entries: list[Any] = parsed.entries[:MOST_ENTRIES]
        return entries


def _found(entry: Any, settings: FeedSettings) -> Found:
    title = printable(" ".join(str(entry.get("title", "")).split()))[:300]
    link = str(entry.get("link", ""))
    address = tidy(link, settings.address) or "" if link else ""
    contents = [str(part.get("value", "")) for part in entry.get("content", [])]
    text = max([*contents, str(entry.get("summary", ""))], key=len)
    said = "\0".join((title, address, str(entry.get("updated", "")), text))
    name = str(entry.get("id", "")) or address or title
    found = Found(
        printable(name)[:4000],
        name_of(address or settings.address, "text/html", title),
        title=title or address,
        address=address,
        mark=hashlib.sha256(said.encode(errors="replace")).hexdigest(),
        last_modified=str(entry.get("updated", ""))[:64],
        body=clean_fragment(text, title),
    )
    if not name:
        found.failure, found.is_final = _("The entry has no name and no address."), True
    return found
