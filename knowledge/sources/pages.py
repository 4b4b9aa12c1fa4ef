"""One page: what it says, where it leads, and what is kept of it.

Kept is the page without scripts, navigation and attributes: what differs at every request (tokens,
nonces, times in a script) would otherwise be a new version at every visit.
"""

import re
from dataclasses import dataclass, field
from html import escape
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from knowledge.extraction.decoding import decode
from knowledge.file_names import clean_name, printable
from knowledge.sources.addresses import tidy
from security.outbound.fetching import Fetched

ENDINGS = {
    "text/html": ".html", "application/xhtml+xml": ".html", "application/pdf": ".pdf",
    "text/markdown": ".md", "text/plain": ".txt",
}  # fmt: skip
HTML = frozenset({"text/html", "application/xhtml+xml"})
MOST_LINKS = 2000
_DROPPED = (
    "script", "style", "noscript", "template", "iframe", "object", "embed", "canvas", "svg", "link",
    "meta", "nav", "footer", "aside", "form", "button", "dialog", "input", "select", "textarea",
)  # fmt: skip
_KEPT = frozenset({"href", "src", "alt", "title", "lang", "dir", "colspan", "rowspan", "hidden",
                   "aria-hidden", "start", "charset"})  # fmt: skip
# Words that names of classes, ids and roles are made of; the first ones name what leads elsewhere.
_LEADS_AWAY = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|sidebar|breadcrumbs?)(?=$|[\s_-])", re.IGNORECASE
)
_SURROUNDS = re.compile(
    r"(?:^|[\s_-])(?:cookies?|consent|gdpr|footer|contentinfo|skip-?link)(?=$|[\s_-])|\bfoot(?=$|\s)",
    re.IGNORECASE,
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)


@dataclass(slots=True)
class Page:
    body: bytes
    title: str = ""
    canonical: str = ""
    links: list[str] = field(default_factory=list)
    is_indexed: bool = True
    is_empty: bool = False


def read_page(fetched: Fetched) -> Page:
    """Of HTML what is to be kept; everything else as it came."""
    if fetched.media_type not in HTML:
        return Page(fetched.body)
    root = _parse(_text(fetched))
    if root is None:
        return Page(b"", is_empty=True)
    wishes = _wishes(root, fetched.headers.get("X-Robots-Tag", ""))
    base = root.find(".//base")
    origin = tidy(base.get("href", ""), fetched.url) if base is not None else None
    title = printable(" ".join((root.findtext(".//title") or "").split()))[:300]
    page = Page(
        b"",
        title,
        canonical=_canonical(root, fetched.url),
        links=[] if "nofollow" in wishes else _links(root, origin or fetched.url),
        is_indexed="noindex" not in wishes,
    )
    page.body = _kept(root, title)
    page.is_empty = not root.text_content().strip()
    return page


def _drop_surroundings(root: HtmlElement) -> None:
    """Menus, banners and footers that are called so, where a page has no elements for them.

    Only parts that are much less than half of the page, and hold no main part or first heading; of
    menus those that are links for the most part. A name may lie, and what a page says is not lost
    for it (docs/adr/0007).
    """
    whole = len(root.text_content())
    for element in list(root.iter("div", "section", "ul", "header", "p", "span")):
        names = f"{element.get('class', '')} {element.get('id', '')} {element.get('role', '')}"
        leads_away = _LEADS_AWAY.search(names) is not None
        if not leads_away and not _SURROUNDS.search(names):
            continue
        length = len(element.text_content())
        has_content = element.find(".//main") is not None or element.find(".//h1") is not None
        links = sum(len(link.text_content()) for link in element.iter("a"))
        if length >= whole / 3 or has_content or (leads_away and links < length / 2):
            continue
        if element.getparent() is not None:
            element.drop_tree()


def clean_fragment(markup: str, title: str) -> bytes:
    """A piece of HTML, as feeds carry it, as a page of its own."""
    root = _parse(f"<html><body>{markup}</body></html>")
    if root is None:
        root = lxml_html.document_fromstring("<html><body></body></html>")
    heading = root.makeelement("h1", {})
    heading.text = printable(title)
    body = root.find("body")
    (root if body is None else body).insert(0, heading)
    return _kept(root, title)


def name_of(address: str, media_type: str, title: str = "") -> str:
    """A file name that says where the page was, with the ending of its type."""
    path = PurePosixPath(unquote(urlsplit(address).path))
    ending = ENDINGS.get(media_type, ".txt")
    stem = path.stem if path.suffix.lower() in {ending, ".htm", ".xhtml", ".php"} else path.name
    return clean_name((stem or title or urlsplit(address).netloc).strip("/")[:200] + ending)


def _text(fetched: Fetched) -> str:
    declared = _CHARSET.search(fetched.body[:4096])
    charset = fetched.charset or (declared[1].decode("ascii") if declared else "")
    return decode(fetched.body, charset)


def _parse(text: str) -> HtmlElement | None:
    parser = lxml_html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    source = re.sub(r"\A\s*<\?xml[^>]*\?>", "", text)
    try:
        return lxml_html.document_fromstring(source, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None


def _wishes(root: HtmlElement, header: str) -> set[str]:
    found = header
    for meta in root.iter("meta"):
        if meta.get("name", "").lower() in {"robots", "parley"}:
            found += "," + meta.get("content", "")
    wishes = {wish.strip().lower() for wish in found.split(",")}
    return wishes | {"noindex", "nofollow"} if "none" in wishes else wishes


def _canonical(root: HtmlElement, address: str) -> str:
    for link in root.iter("link"):
        if "canonical" in link.get("rel", "").lower().split():
            return tidy(link.get("href", ""), address) or ""
    return ""


def _links(root: HtmlElement, base: str) -> list[str]:
    found: dict[str, None] = {}
    for anchor in root.iter("a", "area"):
        is_refused = "nofollow" in anchor.get("rel", "").lower().split()
        if not is_refused and (href := anchor.get("href")) and (address := tidy(href, base)):
            found[address] = None
            if len(found) >= MOST_LINKS:
                break
    return list(found)


def _kept(root: HtmlElement, title: str) -> bytes:
    etree.strip_elements(root, *_DROPPED, with_tail=False)
    _drop_surroundings(root)
    for element in root.iter():
        for name in set(element.attrib) - _KEPT:
            del element.attrib[name]
    body = root.find("body")
    inner = etree.tostring(root if body is None else body, encoding="unicode", method="html")
    return (
        f'<!doctype html>\n<html><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"{inner}</html>\n"
    ).encode()
