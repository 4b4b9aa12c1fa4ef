"""A real site on loopback, with what real sites do to those who follow their links."""

import time
from ipaddress import ip_network

import pytest

from knowledge.models import Collection, SourceItem, SyncRun
from knowledge.sources import patience, web
from knowledge.sources.addresses import Site, tidy
from knowledge.sources.web import GIVEN_UP, MORE, UNREAD
from security.outbound.targets import parse_target
from tests.knowledge.sources.conftest import Add, counts, titles, visit
from tests.support.web import SITE, Page, listen, page, redirect, serve

pytestmark = pytest.mark.django_db

State = SourceItem.State


@pytest.fixture
def internet(settings) -> None:
    settings.PARLEY_SOURCE_NETWORKS = (ip_network(f"{SITE}/32"),)


def html(title: str, text: str, *links: str, head: str = "") -> bytes:
    anchors = "".join(f'<a href="{link}">there</a> ' for link in links)
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}<script>{time.time_ns()}</script>"
        f"</head><body><nav>Menu</nav><main><h1>{title}</h1><p>{text}</p>{anchors}</main></body>"
    ).encode()


def conditional(body: bytes, etag: str):
    """A page that knows when nothing has changed."""

    def answer(handler) -> None:
        if handler.headers.get("If-None-Match") == etag:
            page(b"", status=304)(handler)
        else:
            page(body, ETag=etag)(handler)

    return answer


def dripping(handler) -> None:
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.end_headers()
    while True:
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.1)


def endless(handler) -> None:
    """Every page leads one deeper."""
    place = handler.path.rstrip("/")
    page(html("Deeper", place, f"{place}/a", f"{place}/b?n=1"))(handler)


class Endless(dict):
    def get(self, path, default=None):
        return endless if path.startswith("/trap") else super().get(path, default)


def test_a_site_is_followed_politely_from_visit_to_visit(
    internet: None, add: Add, handbook: Collection
):
    links = (
        "/a", "b?utm_source=x#top", "/private/x", "/gone", "http://example.org/elsewhere",
        "mailto:me@example.org", "/logo.png", "/noindex",
    )  # fmt: skip
    pages = {
        "/robots.txt": page(b"User-agent: *\nDisallow: /private\n", "text/plain"),
        "/": page(html("Start", "Welcome.", *links)),
        "/a": conditional(html("A", "About a.", "/deep", "/"), '"one"'),
        "/b": page(html("B", "About b.", "/a")),
        "/deep": page(html("Deep", "Far down.", "/deeper")),
        "/deeper": page(html("Deeper", "Too far.")),
        "/noindex": page(html("No", "Not for machines.", "/b",
                              head='<meta name="robots" content="noindex">')),
    }  # fmt: skip
    with serve(pages) as site:
        source = add("web", address=site.at("/"), depth=2, pause_seconds=0.1)
        run = visit(source)
        assert (run.status, run.reason) == (SyncRun.Status.SUCCEEDED, "")
        assert titles(handbook) == ["A", "B", "Deep", "Start"]
        assert run.failed == 1  # what robots must not see
        asked = [path for path, _headers in site.heard]
        assert "/private/x" not in asked
        assert "/logo.png" not in asked
        assert "/deeper" not in asked
        assert asked.count("/robots.txt") == 1
        assert len(asked) == len(set(asked))
        agent = site.heard[0][1]["User-Agent"]
        assert agent.startswith("Parley")

        # Scripts differ at every request; what is kept does not.
        pages["/"] = page(html("Start", "Welcome.", *links))
        again = visit(source)
        assert counts(again)[:3] == (0, 0, 4)
        del site.heard[:]
        pages["/b"] = page(html("B", "About b, better.", "/a"))
        pages["/deep"] = page(b"", status=410)
        assert counts(visit(source))[:4] == (0, 1, 2, 1)
        assert source.items.get(title="Deep").state == State.MISSING
        # A site in trouble loses nothing, and its pages still lead on.
        pages["/"] = page(b"", status=503)
        pages["/deep"] = page(html("Deep", "Far down."))
        run = visit(source)
        assert counts(run) == (1, 0, 2, 0, 1 + 1)
        assert source.items.filter(state=State.MISSING).count() == 0


@pytest.mark.django_db(transaction=True)  # its job outlasts a lease
def test_traps(internet: None, add: Add, handbook: Collection, monkeypatch):
    from dataclasses import replace  # noqa: PLC0415

    monkeypatch.setattr(web, "ONE_PAGE", replace(web.ONE_PAGE, seconds=1.0, max_bytes=100_000))
    with listen() as canary:
        inside = f"http://127.0.0.1:{canary.port}"
        pages = Endless({
            "/": page(html("Start", "Here.", "/loop1", "/inside", "/huge", "/image", "/drip",
                           "/trap/1", "/same", "/other", "/empty", f"{inside}/direct", "/meta")),
            "/loop1": redirect("/loop2"),
            "/loop2": redirect("/loop1"),
            "/inside": redirect(f"{inside}/admin"),
            "/meta": redirect("http://169.254.169.254/latest/meta-data/"),
            "/huge": page(html("Huge", "x" * 200_000)),
            "/image": page(b"\x89PNG", "image/png"),
            "/drip": dripping,
            "/same": page(html("Same", "As it.", head='<link rel="canonical" href="/other">')),
            "/other": page(html("Other", "As the same.")),
            "/empty": page(b"<html><body></body></html>"),
        })  # fmt: skip
        with serve(pages) as site:
            source = add("web", address=site.at("/"), depth=20, most_pages=40, pause_seconds=0.1)
            run = visit(source)
        assert run.status == SyncRun.Status.SUCCEEDED
        assert canary.connections == []
    failed = dict(source.items.filter(state=State.FAILED).values_list("external_id", "reason"))
    at = {external_id.removeprefix(f"http://{SITE}:{site.port}"): reason
          for external_id, reason in failed.items()}  # fmt: skip
    assert {"/loop1", "/inside", "/huge", "/image", "/drip", "/meta", "/empty"} <= set(at)
    assert all(at.values())
    found = titles(handbook)
    assert "Start" in found
    assert found.count("Same") + found.count("Other") == 1
    trapped = source.items.filter(external_id__contains="/trap").count()
    assert 0 < trapped < 40
    assert run.reason == MORE
    assert run.seen <= 40


BUSY, CLOSED, GONE = (page(b"", status=status) for status in (503, 403, 404))
SIGN_IN = page(html("Sign in", "Who are you?"))


@pytest.mark.parametrize(
    ("path", "trouble", "is_wanted"),
    [
        pytest.param("/", BUSY, False, id="busy"),
        pytest.param("/", BUSY, True, id="busy and not indexed"),
        pytest.param("/", CLOSED, True, id="closed"),
        pytest.param("/", GONE, False, id="gone"),
        pytest.param("/", SIGN_IN, True, id="elsewhere"),
        pytest.param("/robots.txt", BUSY, False, id="robots"),
    ],
)
def test_a_first_page_in_trouble_takes_nothing_away(
    internet: None, add: Add, handbook: Collection, path: str, trouble: Page, is_wanted: bool
):
    """It is no item, so nobody remembers where it led."""
    head = '<meta name="robots" content="noindex">' if is_wanted else ""
    start = page(html("Start", "Welcome.", "/docs/a", "/docs/b", head=head))
    whole = {"/": start, "/docs/a": page(html("A", "About a.")), "/docs/b": page(html("B", "B."))}
    pages = dict(whole)
    with serve(pages) as site, serve({"/": trouble}) as other:
        source = add(
            "web", address=site.at("/"), include=[] if is_wanted else ["docs/**"],
            pause_seconds=0.1, grace_days=0,
        )  # fmt: skip
        assert counts(visit(source)) == (2, 0, 0, 0, 0)
        pages[path] = redirect(other.at("/")) if trouble is SIGN_IN else trouble
        for _time in range(2):
            run = visit(source)
            assert run.removed == 0
            assert run.status == ("failed" if trouble is GONE else "succeeded")
            assert run.reason == (
                "There is no page at this address." if trouble is GONE else UNREAD
            )
        assert titles(handbook) == ["A", "B"]
        pages.pop(path)
        pages |= {**whole, "/docs/b": GONE}
        run = visit(source)
        assert run.removed >= 1  # the first page too, where it had become an item
        assert run.reason == ""
        assert titles(handbook) == ["A"]


def test_all_links_of_a_page_are_followed_also_when_it_is_unchanged(
    internet: None, add: Add, handbook: Collection, monkeypatch
):
    monkeypatch.setattr(web, "KEPT_LINKS", 2)
    links = [f"/{n}" for n in range(5)]
    pages = {link: page(html(f"Page {link}", f"About {link}.")) for link in links}
    pages["/"] = conditional(html("Start", "All of them.", *links), '"one"')
    with serve(pages) as site:
        source = add("web", address=site.at("/"), pause_seconds=0.1, grace_days=0)
        assert counts(visit(source)) == (6, 0, 0, 0, 0)
        assert counts(visit(source)) == (0, 0, 6, 0, 0)
        pages["/"] = page(b"", status=503)  # two of the five are remembered
        assert counts(visit(source)) == (0, 0, 2, 0, 1)
        assert len(titles(handbook)) == 6


@pytest.mark.parametrize("trouble", ["status", "page"])
def test_a_list_in_a_sitemap_that_cannot_be_read_takes_nothing_away(
    internet: None, add: Add, handbook: Collection, trouble: str
):
    def listing(kind: str, *places: str) -> bytes:
        tag = {"urlset": "url", "sitemapindex": "sitemap"}[kind]
        inner = "".join(f"<{tag}><loc>{place}</loc></{tag}>" for place in places)
        return f"<{kind}>{inner}</{kind}>".encode()

    pages = {"/a": page(html("A", "About a.")), "/b": page(html("B", "About b."))}
    with serve(pages) as site:
        lists = {
            "/sitemap.xml": listing("sitemapindex", site.at("/one.xml"), site.at("/two.xml")),
            "/one.xml": listing("urlset", site.at("/a")),
            "/two.xml": listing("urlset", site.at("/b")),
        }
        pages |= {path: page(body, "application/xml") for path, body in lists.items()}
        source = add("web", address=site.at("/"), reach="sitemap", pause_seconds=0.1, grace_days=0)
        assert counts(visit(source)) == (2, 0, 0, 0, 0)
        is_status = trouble == "status"
        pages["/two.xml"] = page(b"", status=500) if is_status else page(html("Back soon", "…"))
        assert visit(source).removed == 0
        assert titles(handbook) == ["A", "B"]
        pages["/two.xml"] = page(b"", status=404)
        assert visit(source).removed == 1
        assert titles(handbook) == ["A"]


def test_a_preview_stores_nothing_and_a_sitemap_lists(
    internet: None, add: Add, handbook: Collection
):
    pages = {"/a": page(html("A", "About a.")), "/b": page(html("B", "About b."))}
    with serve(pages) as site:
        locations = "".join(
            f"<url><loc>{site.at(path)}</loc></url>" for path in ("/a", "/b", "/missing")
        )
        foreign = "<url><loc>http://example.org/</loc></url>"
        bomb = '<!DOCTYPE x [<!ENTITY e "boom"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
        pages["/map.xml"] = page(
            f"<?xml version='1.0'?>{bomb}<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
            f"{locations}{foreign}<url><loc>&f;</loc></url></urlset>".encode(),
            "application/xml",
        )
        index = f"<sitemapindex><sitemap><loc>{site.at('/map.xml')}</loc></sitemap></sitemapindex>"
        pages["/sitemap.xml"] = page(index.encode(), "application/xml")
        source = add("web", address=site.at("/"), reach="sitemap", pause_seconds=0.1)
        run = visit(source, is_preview=True)
        assert (run.status, run.added, run.failed, run.total) == ("succeeded", 2, 0, 3)
        assert not source.items.exists()
        assert counts(visit(source)) == (2, 0, 0, 0, 0)
        assert titles(handbook) == ["A", "B"]
        empty = add("web", address=site.at("/a"), reach="page", pause_seconds=0.1)
        assert counts(visit(empty))[:2] == (1, 0)


def test_a_site_that_cannot_say_what_robots_may_is_left_alone(internet: None, add: Add):
    pages = {"/robots.txt": page(b"", status=500), "/": page(html("A", "About a."))}
    with serve(pages) as site:
        run = visit(add("web", address=site.at("/"), pause_seconds=0.1))
        assert (run.added, run.failed) == (0, 1)
        assert [path for path, _ in site.heard] == ["/robots.txt"]


def test_private_addresses_are_refused_without_the_setting(add: Add, settings):
    settings.PARLEY_SOURCE_NETWORKS = ()
    with listen() as canary:
        run = visit(add("web", address=f"http://127.0.0.1:{canary.port}/", pause_seconds=0.1))
        assert (run.added, run.failed) == (0, 1)
        assert canary.connections == []


def test_feeds(internet: None, add: Add, handbook: Collection):
    def feed(*entries: tuple[str, str, str]) -> bytes:
        items = "".join(
            f"<item><guid isPermaLink='false'>{name}</guid><title>{name}</title><link>{link}</link>"
            f"<description>&lt;p&gt;{text}&lt;/p&gt;&lt;script&gt;x&lt;/script&gt;</description></item>"
            for name, link, text in entries
        )
        return f"<rss version='2.0'><channel><title>News</title>{items}</channel></rss>".encode()

    pages = {"/full": page(html("Full", "The whole story."))}
    with serve(pages) as site:
        pages["/feed"] = page(feed(("one", site.at("/full"), "In short.")), "application/rss+xml")
        brief = add("feed", address=site.at("/feed"), has_full_pages=False, pause_seconds=0.1)
        whole = add("feed", address=site.at("/feed"), pause_seconds=0.1)
        assert counts(visit(brief)) == (1, 0, 0, 0, 0)
        assert counts(visit(whole)) == (1, 0, 0, 0, 0)
        del site.heard[:]
        assert counts(visit(whole)) == (0, 0, 1, 0, 0)
        assert [path for path, _ in site.heard] == ["/feed"]
        pages["/feed"] = page(feed(("two", site.at("/missing"), "Later.")), "application/rss+xml")
        assert counts(visit(whole)) == (0, 0, 1, 0, 1)  # "one" is older, not gone
        assert source_states(whole) == {"one": State.PRESENT, "two": State.FAILED}
        pages["/feed"] = page(b"<html>No feed</html>")
        assert visit(whole).status == SyncRun.Status.FAILED


def source_states(source) -> dict[str, str]:
    return dict(source.items.values_list("external_id", "state"))


def test_addresses():
    assert tidy("HTTP://Example.org:80/a?utm_source=x&b=1#c") == "http://example.org/a?b=1"
    assert tidy("../x", "http://example.org/a/b/c") == "http://example.org/a/x"
    assert tidy("javascript:alert(1)", "http://example.org/") is None
    assert tidy("http://user:secret@example.org/") is None
    site = Site(parse_target("https://example.org/"))
    assert site.admits("https://example.org/a")
    assert not site.admits("https://example.org/" + "a/" * 8)
    assert not site.admits("https://other.org/a")
    assert sum(site.admits(f"https://example.org/calendar?day={n}") for n in range(500)) == 50


def test_a_page_in_trouble_for_ever_is_passed_over_in_the_end(
    internet: None, add: Add, handbook: Collection
):
    """It is not wanted, and read for its links alone, which nobody remembers."""
    whole = {
        "/": page(html("Start", "Welcome.", "/list", "/docs/a", "/docs/b")),
        "/list": page(html("List", "All of it.", "/docs/c")),
        **{f"/docs/{n}": page(html(n.upper(), f"About {n}.")) for n in "abc"},
    }
    pages = dict(whole)
    with serve(pages) as site:
        source = add(
            "web", address=site.at("/"), include=["docs/**"], pause_seconds=0.1, grace_days=0
        )
        assert counts(visit(source)) == (3, 0, 0, 0, 0)
        pages["/"] = page(html("Start", "Welcome.", "/list", "/docs/a"))
        pages["/list"] = BUSY
        for _time in range(patience.ENOUGH - 1):
            run = visit(source)
            assert (run.removed, run.reason) == (0, UNREAD)
        source.refresh_from_db()
        assert list(source.cursor["unread"].values()) == [patience.ENOUGH - 1]
        pages["/list"] = whole["/list"]  # it comes back, and has all the time anew
        run = visit(source)
        assert (run.removed, run.reason) == (1, "")  # b, to which nothing leads any more
        source.refresh_from_db()
        assert source.cursor == {}
        pages["/list"] = BUSY
        for _time in range(patience.ENOUGH - 1):
            assert visit(source).removed == 0
        pages["/"] = BUSY  # the site itself is away: no visit like the others
        assert (visit(source).removed, titles(handbook)) == (0, ["A", "C"])
        pages["/"] = page(html("Start", "Welcome.", "/list", "/docs/a"))
        run = visit(source)
        assert (run.removed, run.reason) == (1, GIVEN_UP)
        assert titles(handbook) == ["A"]
        pages["/list"] = whole["/list"]
        assert counts(visit(source))[0] == 1  # what comes back is taken in again


def test_a_page_in_trouble_that_nothing_leads_to_holds_nothing_back(
    internet: None, add: Add, handbook: Collection
):
    pages = {
        "/": page(html("Start", "Welcome.", "/list", "/docs/a")),
        "/list": page(html("List", "All of it.", "/docs/b")),
        "/docs/a": page(html("A", "About a.")),
        "/docs/b": page(html("B", "About b.")),
    }
    with serve(pages) as site:
        source = add(
            "web", address=site.at("/"), include=["docs/**"], pause_seconds=0.1, grace_days=7
        )
        assert counts(visit(source)) == (2, 0, 0, 0, 0)
        pages["/list"] = BUSY
        assert (visit(source).removed, source.items.get(external_id=site.at("/docs/b")).state) == (
            0, State.PRESENT,
        )  # fmt: skip
        pages["/"] = page(html("Start", "Welcome.", "/docs/a"))
        assert visit(source).removed == 1
        gone = source.items.get(external_id=site.at("/docs/b"))
        assert (gone.state, titles(handbook)) == (State.MISSING, ["A", "B"])  # the days of grace


def test_a_wanted_page_that_never_could_be_read_has_as_much_time(
    internet: None, add: Add, handbook: Collection
):
    """It may be another name of what is known."""
    pages = {
        "/": page(html("Start", "Welcome.", "/new", "/old")),
        "/new": BUSY,
        "/old": page(html("Old", "Old.")),
    }
    with serve(pages) as site:
        source = add("web", address=site.at("/"), pause_seconds=0.1, grace_days=0)
        assert counts(visit(source)) == (2, 0, 0, 0, 1)
        pages["/"] = page(html("Start", "Welcome.", "/new"))
        for _time in range(patience.ENOUGH - 2):
            assert visit(source).removed == 0
        assert (visit(source).removed, titles(handbook)) == (1, ["Start"])
