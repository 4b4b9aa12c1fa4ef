"""A page, a site by its links, or the pages that a sitemap lists; one host, politely."""

from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from io import BytesIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from knowledge.sources.addresses import Site, tidy
from knowledge.sources.connector import Found, Gone, ItemFailed, Known, SourceUnusable, Walk
from knowledge.sources.outside import PAGE, authorization, get
from knowledge.sources.pages import HTML, Page, name_of, read_page
from knowledge.sources.patience import Patience
from knowledge.sources.patterns import Wanted
from knowledge.sources.robots import Robots
from knowledge.sources.settings import WebSettings
from knowledge.sources.sitemap import addresses_in
from knowledge.storage import Readable
from security.outbound.errors import FetchTimeout, OutboundError, Unreachable
from security.outbound.fetching import Fetched
from security.outbound.targets import parse_target

ONE_PAGE = replace(PAGE, seconds=30)
MOST_WAITING = 50_000
KEPT_LINKS = 500
MORE = gettext_noop(
    "Only the first pages were read, as many as its settings allow. There are more."
)
UNREAD = gettext_noop(
    "Not all could be read that leads to pages, so none of them is taken as gone."
)
GIVEN_UP = gettext_noop(
    "Some pages could not be read for many visits. What only they led to is taken as gone."
)


class WebConnector:
    """External ids are addresses: the canonical one, where a page names it.

    Pages are gone when nothing leads to them. So a walk that could not read where something leads
    is not complete: a site in trouble loses nothing. What is in trouble for ever is passed over
    (`patience`).
    """

    def __init__(self, settings: WebSettings, secret: str, state: str = "") -> None:
        self._settings = settings
        self._start = parse_target(settings.address)
        self._wanted = Wanted(settings.include, settings.exclude)
        self._headers = authorization(secret)
        self.is_complete, self.lists_changes = True, False
        self.cursor: dict[str, object] = {}
        self.total: int | None = None
        self.remark = ""

    def walk(self, walk: Walk) -> Iterator[Found | Gone]:
        self._robots = Robots(self._settings.pause_seconds, walk.check)
        self._site = Site(self._start)
        start = self._first_page = tidy(str(self._start)) or str(self._start)
        self._patience = Patience(walk.cursor)
        self._met: set[str] = set()
        waiting = deque(self._first(start))
        self._met.update(address for address, _depth in waiting)
        yield from self._follow(waiting, walk)
        self.cursor = self._patience.cursor()
        if not self.remark and self._patience.is_over and self._patience.has_given_up:
            self.remark = GIVEN_UP
        elif not self._patience.is_over:
            self.is_complete, self.remark = False, self.remark or UNREAD

    def _follow(self, waiting: deque[tuple[str, int]], walk: Walk) -> Iterator[Found | Gone]:
        asked = 0
        while waiting:
            if asked >= self._settings.most_pages:
                self.is_complete, self.remark = False, MORE  # what lies beyond may be there still
                return
            address, depth = waiting.popleft()
            walk.check()
            item, links = self._visit(address, walk)
            if item is not None:
                yield item
            asked += 1
            if depth > 0:
                for link in links:
                    if len(waiting) < MOST_WAITING and self._is_new(link):
                        waiting.append((link, depth - 1))

    def fetch(self, found: Found) -> AbstractContextManager[Readable]:
        if found.body is None:
            raise ItemFailed(_("The page has no content."), may_try_again=False)
        return nullcontext(BytesIO(found.body))

    def close(self) -> None:
        """Nothing is open between two items."""

    # -- Where to go -------------------------------------------------------------------------------

    def _first(self, start: str) -> list[tuple[str, int]]:
        if self._settings.reach != "sitemap":
            return [(start, self._settings.depth if self._settings.reach == "site" else 0)]
        places = [start]
        if not start.endswith((".xml", ".xml.gz", ".txt")):
            named = [place for text in self._robots.sitemaps(start) if (place := tidy(text))]
            places = named or [tidy("/sitemap.xml", start) or start]
        found: dict[str, None] = {}
        unread: list[str] = []
        for place in places:
            listed = addresses_in(place, self._site, self._robots, self._headers, unread)
            for address in listed:
                if self._site.admits(address) and self._is_wanted(address):
                    found[address] = None
                if len(found) > self._settings.most_pages:
                    break
        if not found:
            raise SourceUnusable(_("There is no sitemap with pages of this site."))
        self.total = min(len(found), self._settings.most_pages)
        if unread:
            self.is_complete, self.remark = False, UNREAD
        return [(address, 0) for address in found]

    def _is_new(self, address: str) -> bool:
        if address in self._met:
            return False
        self._met.add(address)
        return self._site.admits(address)

    def _is_wanted(self, address: str) -> bool:
        return parse_target(address).path.partition("?")[0] in self._wanted

    # -- One page ----------------------------------------------------------------------------------

    def _visit(self, address: str, walk: Walk) -> tuple[Found | Gone | None, list[str]]:
        """What is at the address, if it is wanted, and where it leads. Pages that are not wanted
        are read for their links alone."""
        known = walk.known(address)
        if known is not None and known.is_seen and not _is_cut(known):
            return None, list(known.links)
        if not self._robots.admit(address):
            is_passing = not self._robots.can_tell(address)
            if is_passing:
                self._patience.note_trouble()
            links = self._remembered(address, known, is_passing=is_passing)
            return self._failed(address, _("The site does not want robots there."), links), links
        self._robots.wait(address)
        try:
            answer = get(address, ONE_PAGE, self._headers | _conditions(known))
        except OutboundError as error:
            is_passing = isinstance(error, FetchTimeout | Unreachable)
            links = self._remembered(address, known, is_passing=is_passing)
            return self._failed(address, str(error), links, is_final=not is_passing), links
        return self._read(address, answer, known)

    def _read(
        self, address: str, answer: Fetched, known: Known | None
    ) -> tuple[Found | Gone | None, list[str]]:
        if answer.status == 304 and known is not None:
            self._patience.note_answer()
            name, links = name_of(address, "text/html"), list(known.links)
            same = Found(address, name, address=address, links=links, is_unchanged=True)
            return (same if self._is_wanted(address) else None), links
        if answer.status in {404, 410}:
            if address == self._first_page and self._settings.reach == "site":
                raise SourceUnusable(_("There is no page at this address."))
            return Gone(address), []
        if not 200 <= answer.status < 300:
            if answer.status in {429, 503}:
                self._robots.slow_down(address)
            is_passing = answer.status == 429 or answer.status >= 500
            links = self._remembered(address, known, is_passing=is_passing)
            reason = _("The site answered %(status)s.") % {"status": answer.status}
            return self._failed(address, reason, links), links
        if not self._site.has(tidy(answer.url) or address):
            links = self._remembered(address, known, is_passing=False)
            return self._failed(
                address, _("It leads to another site."), links, is_final=True
            ), links
        self._patience.note_answer()
        page = read_page(answer)
        return self._take(address, answer, page), page.links

    def _remembered(self, address: str, known: Known | None, *, is_passing: bool) -> list[str]:
        """Where a page led that cannot be read now. Where nobody knows that, what it may have led
        to is not known to be gone: of the first page, of those that are read for their links alone,
        and of those with more links than are remembered."""
        links = list(known.links) if known is not None else []
        is_cut = known is not None and _is_cut(known)
        if address == self._first_page and (is_cut or not links):
            self._patience.note_trouble()
        elif is_cut or (is_passing and (known is None or not known.was_read)):
            self._patience.note_unread(address)
        return links

    def _take(self, address: str, answer: Fetched, page: Page) -> Found | Gone | None:
        """The page as an item; None for one that is not wanted, or was there under another name."""
        name = tidy(answer.url) or address
        if page.canonical and self._site.has(page.canonical):
            name = page.canonical
        if name != address:
            if name in self._met:
                return None
            self._met.add(name)
        if not page.is_indexed or not self._is_wanted(name):
            return None
        if page.is_empty:
            return self._failed(name, _("The page has no text."), page.links, is_final=True)
        is_html = answer.media_type in HTML
        return Found(
            name,
            name_of(name, answer.media_type, page.title),
            title=page.title,
            address=name,
            etag=answer.headers.get("ETag", ""),
            last_modified=answer.headers.get("Last-Modified", ""),
            links=page.links[:KEPT_LINKS],
            body=page.body,
            media_type="" if is_html else answer.media_type,
        )

    def _failed(
        self, address: str, reason: str, links: list[str], *, is_final: bool = False
    ) -> Found | None:
        if not self._is_wanted(address):
            return None
        return Found(
            address, name_of(address, "text/html"), address=address, links=links[:KEPT_LINKS],
            failure=reason, is_final=is_final,
        )  # fmt: skip


def _is_cut(known: Known) -> bool:
    """Whether the page has more links than are remembered: then it is read anew each time."""
    return len(known.links) >= KEPT_LINKS


def _conditions(known: Known | None) -> dict[str, str]:
    conditions: dict[str, str] = {}
    if known is None or _is_cut(known):
        return conditions
    if known.etag:
        conditions["If-None-Match"] = known.etag
    if known.last_modified:
        conditions["If-Modified-Since"] = known.last_modified
    return conditions
