"""Every way to fail becomes one typed error with a stable name and a sentence."""

import asyncio
import socket
import ssl

import aiohttp
import pytest

from gateway.errors import (
    BadCredentials,
    BadRequest,
    BudgetExhausted,
    ContentFiltered,
    ContextOverflow,
    EndpointTimeout,
    EndpointUnreachable,
    GatewayError,
    ModelNotFound,
    RateLimited,
    StreamCut,
    UpstreamFailed,
)
from gateway.upstream.failures import error_for_exception, error_for_response

RESPONSES = [
    (400, b'{"error": {"message": "bad"}}', BadRequest),
    (400, b'{"error": {"code": "context_length_exceeded", "message": "m"}}', ContextOverflow),
    (400, b'{"error": {"type": "exceed_context_size_error", "n_ctx": 4096}}', ContextOverflow),
    (500, b'{"error": {"message": "exceeds the maximum context length"}}', ContextOverflow),
    (400, b'{"error": {"code": "content_filter"}}', ContentFiltered),
    (401, b"", BadCredentials),
    (403, b"<html>", BadCredentials),
    (400, b'{"error": {"code": "invalid_api_key"}}', BadCredentials),
    (404, b'{"error": "model \'x\' not found"}', ModelNotFound),
    (400, b'{"error": {"code": "model_not_found"}}', ModelNotFound),
    (408, b"", EndpointTimeout),
    (409, b"", UpstreamFailed),
    (413, b"", BadRequest),
    (422, b'{"detail": [{"loc": ["body"]}]}', BadRequest),
    (429, b"", RateLimited),
    (500, b"not json", UpstreamFailed),
    (503, b'{"error": null}', UpstreamFailed),
    (302, b"", UpstreamFailed),
]


@pytest.mark.parametrize(("status", "body", "kind"), RESPONSES)
def test_responses(status, body, kind):
    error = error_for_response(status, body, {"location": "https://elsewhere.example/"})
    assert type(error) is kind
    assert str(error)


def test_every_type_is_unique_and_says_something():
    kinds = GatewayError.__subclasses__()
    kinds += [sub for kind in kinds for sub in kind.__subclasses__()]
    names = [kind.type for kind in kinds if kind.__module__ == "gateway.errors"]
    assert len(names) == len(set(names)) == 15
    kinds.remove(BudgetExhausted)  # says whose budget it is, so it needs to be told
    assert all(str(kind()).endswith(".") for kind in kinds)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "1e300"}, 86_400.0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert error_for_response(429, b"", headers).retry_after == seconds


def test_a_long_message_is_cut():
    body = b'{"error": {"message": "' + b"x" * 5000 + b'"}}'
    assert len(error_for_response(500, body, {}).detail) == 300


def caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (socket.gaierror(), EndpointUnreachable, "name is unknown"),
        (ConnectionRefusedError(), EndpointUnreachable, "Nothing listens"),
        (ssl.SSLCertVerificationError(), EndpointUnreachable, "certificate"),
        (ssl.SSLError(), EndpointUnreachable, "TLS fails"),
        (ConnectionResetError(), EndpointUnreachable, "closed"),
        (aiohttp.ServerDisconnectedError(), EndpointUnreachable, "closed"),
        (aiohttp.InvalidURL("x"), EndpointUnreachable, "URL"),
        (aiohttp.ServerTimeoutError(), EndpointTimeout, "in time"),
        (TimeoutError(), EndpointTimeout, "in time"),
        (aiohttp.ClientPayloadError(), StreamCut, "cut off"),
        (caused(RuntimeError(), ConnectionRefusedError()), EndpointUnreachable, "Nothing"),
        (RuntimeError(), UpstreamFailed, "RuntimeError"),
    ],
)
def test_exceptions(error, kind, words):
    found = error_for_exception(error)
    assert type(found) is kind
    assert words in str(found)


def test_only_a_dropped_connection_is_worth_a_second_try():
    assert error_for_exception(ConnectionResetError()).is_transient
    assert not error_for_exception(ConnectionRefusedError()).is_transient


def test_a_cancelled_call_is_no_gateway_error():
    assert not isinstance(asyncio.CancelledError(), Exception)


def test_what_a_server_says_can_be_stored():
    body = b'{"error": {"message": "bad \\u0000 thing"}}'
    assert "\0" not in str(error_for_response(400, body, {}))
