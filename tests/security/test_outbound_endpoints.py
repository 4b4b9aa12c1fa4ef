"""Model servers: private addresses as the administrator chose, a cloud's metadata never."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.embedding.remote import RemoteEmbedder
from gateway.errors import EndpointUnreachable
from gateway.models import Model
from gateway.types import ChatRequest, PromptMessage, Route
from gateway.upstream.call import open_call
from gateway.upstream.probe import probe
from gateway.upstream.session import close_pool
from security.outbound.errors import AddressRefused
from security.outbound.policy import ANY_ENDPOINT, PUBLIC_ENDPOINT
from security.outbound.transport import guarded_client
from tests.security.hostile_addresses import LOOPBACK, METADATA, NETWORKS, SPELLINGS
from tests.support.model_server import ModelServer
from tests.support.web import connections_attempted, listen, redirect, serve

HELLO = ChatRequest("", (PromptMessage("user", "hi"),))


def stream(url: str) -> str:
    async def read() -> str:
        try:
            async with open_call(
                Route("m", "m", "one", url, "sk-canary-0123456789"), HELLO
            ) as call:
                while await call.read():
                    continue
        finally:
            await close_pool()
        return ""

    with pytest.raises(EndpointUnreachable) as refusal:
        asyncio.run(read())
    return str(refusal.value)


def test_connection(url: str) -> str:
    result = probe(Route("", "", "one", url, "sk-canary-0123456789"))
    assert not result.ok
    return result.message


test_connection.__test__ = False


def embed(url: str) -> str:
    async def record(*_call: object) -> None:
        """There is no database here."""

    model, routes = Model(name="e", dimensions=3), [Route("e", "e", "one", url)]
    embedder = RemoteEmbedder(model, routes, remember=False, record=record)

    async def ask() -> None:
        try:
            await embedder.embed_async(["hi"])
        finally:
            await close_pool()

    with pytest.raises(EndpointUnreachable) as refusal:
        asyncio.run(ask())
    return str(refusal.value)


WAYS = [stream, test_connection, embed]
# 0.0.0.0 and :: are how a server is told to listen everywhere, no address to call.
NOWHERE = ["http://0.0.0.0:{port}/", "http://[::]:{port}/"]


@pytest.mark.parametrize("way", WAYS)
def test_s32_without_private_endpoints_no_connection(way: Callable[[str], str], settings):
    settings.PARLEY_PRIVATE_ENDPOINTS = False
    numbers = [url for url in LOOPBACK + SPELLINGS + NETWORKS + METADATA if url.isascii()]
    with listen() as canary, connections_attempted() as attempts:
        for url in numbers:
            way(url.format(port=canary.port) + "v1")
        assert (attempts, canary.connections) == ([], [])


@pytest.mark.parametrize("way", WAYS)
def test_s32_metadata_is_refused_to_administrators_too(way: Callable[[str], str]):
    with listen() as canary, connections_attempted() as attempts:
        for url in METADATA + NOWHERE:
            message = way(url.format(port=canary.port) + "v1")
            assert "credentials" in message or "public internet" in message, url
        assert (attempts, canary.connections) == ([], [])


@pytest.mark.parametrize("way", WAYS)
def test_s33_the_key_does_not_follow_a_redirect(way: Callable[[str], str]):
    with serve({}) as other:
        paths = ("/v1/models", "/v1/chat/completions", "/v1/embeddings")
        with serve({path: redirect(other.at(path), 307) for path in paths}) as site:
            with pytest.raises(Exception, match="redirects"):
                raise RuntimeError(way(site.at("/v1")))
            assert site.heard
        assert other.heard == []


def test_a_server_on_this_machine_answers_by_name_and_by_number(model_server: ModelServer):
    """`localhost` has an IPv6 address as well, where the server does not listen."""
    for host in ("localhost", "127.0.0.1"):
        assert probe(Route("", "", "one", f"http://{host}:{model_server.port}/v1")).ok


def test_s32_a_transport_refuses_a_name_by_any_of_its_addresses():
    with (
        connections_attempted() as attempts,
        guarded_client(PUBLIC_ENDPOINT, 5) as client,
        pytest.raises(AddressRefused),
    ):
        client.get("http://localhost/")
    assert attempts == []


def test_private_and_public_addresses_are_both_an_administrators_choice():
    for address in ("127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd12::1", "93.184.215.14"):
        ANY_ENDPOINT.check_address(address)
