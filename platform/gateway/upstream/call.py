"""One streamed answer from one endpoint, read close to the wire.

Per read: one `readany` (everything the socket had), one parse, one delta. No object per token and
no timer per read.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import orjson

from gateway.errors import BadRequest, EndpointTimeout, GatewayError, UpstreamFailed
from gateway.types import ChatRequest, Route, TokenUsage
from gateway.upstream.chunks import ChunkStream
from gateway.upstream.dialect import chat_payload, quirk_behind, request_headers
from gateway.upstream.failures import error_for_exception, error_for_response
from gateway.upstream.pace import FLOOD_BYTES, Pace
from gateway.upstream.resolving import resolve
from gateway.upstream.session import Pool, current_pool
from gateway.upstream.sse import ChatStream, Item
from gateway.upstream.watchdog import Watchdog
from security.secrets import hint
from security.sentences import Sentence

LARGEST_ERROR = 64 * 1024  # bytes of an error body that are read
LARGEST_MESSAGE = 8 * 1024 * 1024  # bytes of an answer that was not streamed
LONGEST_ANSWER = 1_000_000  # characters; an endless upstream is cut here
DRAIN_SECONDS = 0.05  # to reach the end of a finished response, so that its connection is reused


class Call:
    """An open answer: `read()` until it returns nothing, then look at how it ended."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        watchdog: Watchdog,
        stream: ChatStream,
        pace: Pace,
    ) -> None:
        self._response = response
        self._watchdog = watchdog
        self._stream = stream
        self._pace = pace
        self._is_whole = response.content_type in ("application/json", "text/html")
        self._read_bytes = 0
        self.is_finished = False
        self.finish_reason = ""

    @property
    def usage(self) -> TokenUsage:
        return self._stream.usage

    @property
    def length(self) -> int:
        return self._stream.length

    async def read(self) -> list[Item]:
        """The next items, everything that is buffered at once; empty at the end.

        Raises GatewayError, StreamCut among them when there was no finish reason.
        """
        stream = self._stream
        if stream.has_begun and not self.is_finished and self._read_bytes < FLOOD_BYTES:
            connection = self._response.connection
            await self._pace.rest(connection and connection.transport)
        while not self.is_finished:
            self._watchdog.reading()
            try:
                found = await self._next()
            except (aiohttp.ClientError, OSError) as error:
                raise self._watchdog.verdict or error_for_exception(error) from error
            self._watchdog.read()
            if stream.has_begun:
                self._watchdog.spoke()
            if found:
                return found
        if self.finish_reason:
            return []
        found = stream.ending()
        self.finish_reason = stream.finish_reason or ""
        return found

    async def _next(self) -> list[Item]:
        if self._is_whole:
            return await self._read_whole()
        stream = self._stream
        stream.check()  # before waiting for a server that has said what is wrong
        chunk = await self._response.content.readany()
        self._read_bytes = len(chunk)
        found = stream.feed(chunk) if chunk else stream.close()
        if stream.length + stream.tools.length > LONGEST_ANSWER:
            self.is_finished = True
            return [*found, *stream.cut()]
        if stream.is_done:
            self.is_finished = True
            await _drain(self._response)
        return found

    async def _read_whole(self) -> list[Item]:
        """The answer of a server that ignores `stream` and sends one JSON object."""
        body = await _read_at_most(self._response, LARGEST_MESSAGE)
        self.is_finished = True
        try:
            return self._stream.whole(orjson.loads(body))
        except (orjson.JSONDecodeError, AttributeError, LookupError, TypeError) as error:
            kind = self._response.content_type
            raise UpstreamFailed(Sentence("no_completion", kind=kind)) from error


@asynccontextmanager
async def open_call(route: Route, request: ChatRequest) -> AsyncIterator[Call]:
    """Send the request and hold the answer open; leaving early closes the connection upstream.

    Raises GatewayError, here and in `Call.read`, with the endpoint's key taken out of its text.
    """
    pool = current_pool()
    stream = ChunkStream() if request.wants_chunks else ChatStream()
    try:
        watchdog = Watchdog(route.timeouts)
        response = await _open(pool, route, request, watchdog)
        call = Call(response, watchdog, stream, pool.pace)
        watchdog.watch(response)
        pool.pace.calls += 1
        try:
            yield call
        finally:
            pool.pace.calls -= 1
            watchdog.stop()
            if call.is_finished:
                response.release()
            else:
                response.close()
    except GatewayError as error:
        if route.api_key and route.api_key in error.detail:
            error.detail = error.detail.replace(route.api_key, hint(route.api_key))
        raise


async def _open(
    pool: Pool, route: Route, request: ChatRequest, watchdog: Watchdog
) -> aiohttp.ClientResponse:
    """The head of a 200 response; the whole wait counts against the first-token limit."""
    quirks = pool.quirks.setdefault((route.base_url, route.upstream_name), set())
    try:
        async with asyncio.timeout_at(watchdog.first_deadline):
            resolved = await resolve(pool, route, request.controls)
            while True:
                payload = chat_payload(route, request, quirks, resolved)
                response = await _post(pool, route, payload)
                if response.status == 200:
                    return response
                error = await _read_error(response)
                quirk = quirk_behind(error, payload)
                if quirk is None:
                    raise error
                quirks.add(quirk)
    except orjson.JSONEncodeError as error:
        raise BadRequest(Sentence("not_sendable")) from error
    except aiohttp.ConnectionTimeoutError as error:
        raise EndpointTimeout(Sentence("no_connection")) from error
    except TimeoutError as error:
        raise EndpointTimeout(Sentence("no_answer")) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise error_for_exception(error) from error


async def _post(pool: Pool, route: Route, payload: dict[str, Any]) -> aiohttp.ClientResponse:
    return await pool.http.post(
        route.url("chat/completions"),
        data=orjson.dumps(payload),
        headers=request_headers(route),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=route.timeouts.connect),
        allow_redirects=False,  # the key must not follow to another host
    )


async def _read_error(response: aiohttp.ClientResponse) -> GatewayError:
    try:
        body = await _read_at_most(response, LARGEST_ERROR)
    finally:
        response.close()
    return error_for_response(response.status, body, response.headers)


async def _read_at_most(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    while len(body) < limit and (chunk := await response.content.readany()):
        body += chunk
    return bytes(body)


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Take what a finished server still sends; a connection is reused only after its last byte."""
    with suppress(TimeoutError, aiohttp.ClientError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while not response.content.at_eof():
                await response.content.readany()
