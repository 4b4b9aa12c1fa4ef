"""Nothing is fetched from where a person must not reach: s32, s33, s59."""

import asyncio
import gzip
import json
import threading
import zlib
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from security.outbound.errors import (
    AddressRefused,
    FetchTimeout,
    OutboundError,
    RedirectRefused,
    ResponseTooLarge,
    Unreachable,
    WrongContent,
)
from security.outbound.fetching import PAGE, Fetched, Purpose, fetch
from security.outbound.policy import ANY_ENDPOINT, PUBLIC
from security.outbound.targets import parse_target
from tests.security.hostile_addresses import LOOPBACK, METADATA, ORDINARY, REFUSED
from tests.support.web import (
    SITE,
    Canary,
    ScriptedNames,
    Site,
    connections_attempted,
    listen,
    page,
    redirect,
    serve,
)

SHARED = Path(__file__).resolve().parents[3] / "shared/data/security/ssrf_urls.jsonl"
# Every port, and one address that stands for the internet: all the rest of the policy is PUBLIC's.
INTERNET = replace(PUBLIC, ports=None, opened=(ip_network(f"{SITE}/32"),))
HERE = replace(PAGE, policy=INTERNET, seconds=20)


@pytest.fixture
def canary():
    with listen() as canary:
        yield canary


def get(url: str, purpose: Purpose = HERE, **options) -> Fetched:
    return asyncio.run(fetch(url, purpose, **options))


def refuse(url: str, canary: Canary, purpose: Purpose = HERE, **options) -> None:
    with connections_attempted() as attempts, pytest.raises(AddressRefused) as refusal:
        get(url, purpose, **options)
    assert str(refusal.value)
    assert (attempts, canary.connections) == ([], [])


# -- Addresses -------------------------------------------------------------------------------------


def test_the_corpus_is_large_enough():
    assert len(set(REFUSED)) >= 60


@pytest.mark.parametrize("url", REFUSED, ids=ascii)
def test_s32_no_connection_for_a_hostile_address(url: str, canary: Canary):
    refuse(url.format(port=canary.port), canary, PAGE)


@pytest.mark.parametrize("url", [*LOOPBACK, *METADATA], ids=ascii)
def test_s32_the_address_is_refused_not_only_its_port(url: str, canary: Canary):
    """The default policy stops at the port already; here every port is open."""
    refuse(url.format(port=canary.port), canary)


def test_s32_no_connection_for_the_shared_corpus(canary: Canary):
    if not SHARED.exists():
        pytest.skip("the shared corpus is not beside this checkout")
    rows = [json.loads(line) for line in SHARED.read_text().splitlines()]
    blocked = [row["url"] for row in rows if row["expect"] == "block"]
    assert len(blocked) > 50
    for url in blocked:
        refuse(url, canary, PAGE)
    for row in rows:
        if row["expect"] == "allow":
            parse_target(row["url"])


def test_the_canary_would_be_heard(canary: Canary):
    """The control: with the guard told that loopback is the internet, the same address answers."""
    opened = replace(HERE, policy=replace(PUBLIC, ports=None, opened=(ip_network("127.0.0.0/8"),)))
    with connections_attempted() as attempts, pytest.raises(Unreachable):
        get(f"http://127.0.0.2:{canary.port}/", opened)
    assert set(attempts) == {("127.0.0.2", canary.port)}


@pytest.mark.parametrize("url", ORDINARY)
def test_ordinary_addresses_are_read(url: str):
    target = parse_target(url)
    assert str(target.as_url()) == str(target)
    assert parse_target(str(target)) == target
    assert str(target).isascii()


def test_public_addresses_are_allowed():
    for address in (
        "93.184.215.14",
        "1.1.1.1",
        "100.63.255.255",
        "2606:2800::1",
        "64:ff9b::808:808",
    ):
        PUBLIC.check_address(address)
        ANY_ENDPOINT.check_address(address)


# -- Names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        [SITE, "127.0.0.1"],
        ["127.0.0.1", SITE],
        ["::1", SITE],
        [SITE, "::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["10.1.2.3", "192.168.0.1"],
        ["fd00:ec2::254"],
        ["0.0.0.0"],
    ],
)
def test_s32_every_answer_for_a_name_must_be_allowed(addresses: list[str], canary: Canary):
    names = ScriptedNames(mixed_test=[addresses])
    refuse(f"http://mixed.test:{canary.port}/", canary, resolver=names)


def test_s32_a_name_that_changes_is_connected_to_where_it_was_checked(canary: Canary):
    with serve({"/": page(b"Hello")}) as site:
        names = ScriptedNames(rebind_test=[[SITE], ["127.0.0.1"]])
        assert get(site.at("/", "rebind.test"), resolver=names).body == b"Hello"
        assert names.asked == 1  # the answer that was checked is the one that was used
        refuse(site.at("/", "rebind.test"), canary, resolver=names)
        assert names.asked == 2


def test_an_unknown_name_is_unreachable():
    with pytest.raises(Unreachable):
        get("http://nobody.test/", resolver=ScriptedNames())


# -- Redirects -------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_s33_every_redirect_is_checked(status: int, canary: Canary):
    targets = [url.format(port=canary.port) for url in [*LOOPBACK, *METADATA]]
    targets += ["file:///etc/passwd", f"//127.0.0.1:{canary.port}/", "http:\\\\127.0.0.1\\"]
    pages = {f"/{number}": redirect(url, status) for number, url in enumerate(targets)}
    with serve(pages) as site:
        for path in pages:
            with connections_attempted() as attempts, pytest.raises(AddressRefused):
                get(site.at(path))
            assert attempts == [(SITE, site.port)]
    assert canary.connections == []


def test_s33_a_redirect_to_a_name_that_leads_inside(canary: Canary):
    names = ScriptedNames(inside_test=[["127.0.0.1"]])
    site = serve({"/": redirect(f"http://inside.test:{canary.port}/")})
    with site as served, pytest.raises(AddressRefused):
        get(served.at("/"), resolver=names)
    assert canary.connections == []


def test_s33_five_redirects_and_no_more():
    pages = {f"/{n}": redirect(f"{n + 1}?a=%20") for n in range(7)} | {"/5": page(b"at last")}
    with serve(pages) as site:
        found = get(site.at("/0"))
        assert (found.body, found.url) == (b"at last", site.at("/5?a=%20"))
        pages["/5"] = redirect("/6")
        with pytest.raises(RedirectRefused):
            get(site.at("/0"))
        assert len(site.heard) == 12
        with pytest.raises(RedirectRefused):
            get(site.at("/4"), replace(HERE, redirects=0))
        assert len(site.heard) == 13


def test_s59_credentials_stay_with_their_origin():
    with serve({"/": page(b"other")}) as other, serve({}) as site:
        site.pages = {
            "/same": redirect("/landing"),
            "/landing": page(b"landed"),
            "/away": redirect(other.at("/")),
        }
        secret = {"Authorization": "Bearer canary", "Cookie": "session=canary"}
        get(site.at("/same"), headers=secret)
        assert [headers.get("Authorization") for _, headers in site.heard] == ["Bearer canary"] * 2
        get(site.at("/away"), headers=secret)
        assert "canary" not in str(other.heard)


# -- What comes back -------------------------------------------------------------------------------


def drip(handler) -> None:
    """One byte in every tenth of a second, for ever."""
    _begin(handler)
    while True:
        handler.wfile.write(b".")
        handler.server.gone.wait(0.1)


def endless(handler) -> None:
    _begin(handler)
    while True:
        handler.wfile.write(b"." * 65_536)


def bomb(handler) -> None:
    """4 GB in about 4 MB, packed piece by piece."""
    _begin(handler, "gzip")
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(1024 * 1024)
    for _ in range(4096):
        handler.wfile.write(packer.compress(zeros))


def many_headers(handler) -> None:
    handler.send_response(200)
    handler.end_headers = lambda: None
    for number in range(10_000):
        handler.wfile.write(f"X-{number}: {'a' * 1000}\r\n".encode())


def long_header(handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 10_000_000)


def _begin(handler, encoding: str = "identity") -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Encoding", encoding)
    handler.end_headers()


@pytest.fixture
def odd_site():
    small = gzip.compress(b"Hello " * 100)
    pages = {
        "/drip": drip,
        "/endless": endless,
        "/bomb": bomb,
        "/headers": many_headers,
        "/header": long_header,
        "/gzip": page(small, Content_Encoding="gzip"),
        "/deflate": page(zlib.compress(b"Hello"), Content_Encoding="deflate"),
        "/cut": page(small[:-12], Content_Encoding="gzip"),
        "/brotli": page(b"\x0b\x02\x80Hello\x03", Content_Encoding="br"),
        "/twice": page(gzip.compress(small), Content_Encoding="gzip, gzip"),
        "/exe": page(b"MZ", "application/octet-stream"),
        "/untyped": page(b"Hello", ""),
        "/big": page(b"", Content_Length="99999999"),
        "/missing": page(b"secret error page", status=404),
    }
    with serve(pages) as site:
        site.gone = threading.Event()
        yield site
        site.gone.set()


SMALL = replace(HERE, max_bytes=100_000)


@pytest.mark.parametrize(
    ("path", "purpose", "expected"),
    [
        ("/drip", replace(HERE, seconds=1), FetchTimeout),
        ("/endless", SMALL, ResponseTooLarge),
        ("/bomb", SMALL, ResponseTooLarge),
        ("/big", SMALL, ResponseTooLarge),
        ("/gzip", replace(HERE, max_bytes=599), ResponseTooLarge),
        ("/headers", SMALL, Unreachable),
        ("/header", SMALL, Unreachable),
        ("/cut", SMALL, WrongContent),
        ("/brotli", SMALL, WrongContent),
        ("/twice", SMALL, WrongContent),
        ("/exe", SMALL, WrongContent),
        ("/untyped", SMALL, WrongContent),
    ],
)
def test_s32_an_answer_is_bounded(odd_site: Site, path: str, purpose: Purpose, expected: type):
    with pytest.raises(OutboundError) as stopped:
        get(odd_site.at(path), purpose)
    assert type(stopped.value) is expected


def test_what_fits_comes_back_unpacked(odd_site: Site):
    found = get(odd_site.at("/gzip"), replace(HERE, max_bytes=600))
    assert (found.status, found.media_type, found.body) == (200, "text/html", b"Hello " * 100)
    assert get(odd_site.at("/deflate")).body == b"Hello"
    missing = get(odd_site.at("/missing"))
    assert (missing.status, missing.body) == (404, b"")
