"""Test connection says in words what is wrong."""

import asyncio
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.errors import EndpointUnreachable
from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.services import check_endpoint, store_key
from gateway.types import ChatRequest, Route
from gateway.upstream.call import open_call
from gateway.upstream.probe import probe, test_endpoint
from gateway.upstream.session import close_pool
from tests.support.model_server import ModelServer, Script

KEY = "sk-0123456789abcdef"


def at(url, key="", name=""):
    return Route(name, name, "one", url, key)


def test_what_a_good_endpoint_offers(model_server):
    model_server.models = ["a", "b"]
    result = probe(at(model_server.url), [at(model_server.url, name="b")])
    assert (result.ok, result.models) == (True, ("a", "b"))
    assert "2 models" in result.message
    assert result.latency_ms >= 0


def test_a_missing_model_is_named_with_what_there_is(model_server):
    model_server.models = ["a"]
    result = probe(at(model_server.url), [at(model_server.url, name="b")])
    assert not result.ok
    assert result.message == "The server does not offer b. It offers: a."


def test_nothing_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    result = probe(at(f"http://127.0.0.1:{port}/v1"))
    assert not result.ok
    assert "Nothing listens there" in result.message


def test_an_unknown_name():
    assert "name is unknown" in probe(at("http://no-such-host.invalid/v1")).message


def test_no_tls_at_this_port(model_server):
    assert "TLS" in probe(at(f"https://127.0.0.1:{model_server.port}/v1")).message


@pytest.fixture
def tls_server(tmp_path):
    """A port that speaks TLS with a certificate nobody signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path / "server.pem"
    path.write_bytes(key.private_bytes(pem, *plain) + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with ModelServer(ssl_context=context) as server:
        yield server


def test_a_certificate_nobody_signed(tls_server):
    url = tls_server.url.replace("http:", "https:")
    assert "certificate is not accepted" in probe(at(url)).message

    async def ask():
        try:
            async with open_call(at(url), ChatRequest("m", ())):
                pass
        finally:
            await close_pool()

    with pytest.raises(EndpointUnreachable, match="certificate is not accepted"):
        asyncio.run(ask())


def test_a_forgotten_v1(model_server):
    base = model_server.url.removesuffix("/v1")
    result = probe(at(base))
    assert not result.ok
    assert f"{base}/v1" in result.message


def test_a_key_is_missing_or_wrong_and_never_repeated(model_server):
    model_server.api_key = KEY
    assert "enter one" in probe(at(model_server.url)).message
    result = probe(at(model_server.url, "sk-wrong-key-9876543210"))
    assert "refuses the API key" in result.message
    assert "sk-wrong-key-9876543210" not in result.message
    assert probe(at(model_server.url, KEY)).ok


def test_something_else_answers(model_server):
    model_server.models_script = Script(status=200, error="<html>Hello</html>")
    result = probe(at(model_server.url))
    assert not result.ok
    assert "Something else than a model server" in result.message


def test_a_silent_server(model_server, settings):
    model_server.models_script = Script(head_delay=5)
    result = probe(at(model_server.url), seconds=0.3)
    assert "in time" in result.message


def test_a_server_without_a_list_is_asked_for_one_token(model_server):
    model_server.models_script = Script(status=404)
    assert probe(at(model_server.url), [at(model_server.url, name="b")]).ok
    assert model_server.chat_requests[0]["model"] == "b"
    model_server.queue(Script(status=404))
    assert not probe(at(model_server.url), [at(model_server.url, name="b")]).ok


@pytest.mark.django_db
def test_a_row_keeps_the_result(model_server):
    endpoint = Endpoint.objects.create(name="one", base_url=model_server.url)
    store_key(endpoint, KEY)
    model = Model.objects.create(name="m")
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="scripted")
    model_server.api_key = KEY
    assert test_endpoint(endpoint).ok
    model_server.models = ["other"]
    assert not check_endpoint(endpoint).ok
    endpoint.refresh_from_db()
    assert "does not offer scripted" in endpoint.last_error
    assert endpoint.last_checked_at is not None


@pytest.mark.django_db
def test_a_model_that_is_said_to_see_is_shown_a_dot(model_server):
    endpoint = Endpoint.objects.create(name="one", base_url=model_server.url)
    model = Model.objects.create(name="m", has_vision=True)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="scripted")
    assert test_endpoint(endpoint).ok
    (asked,) = model_server.chat_requests
    assert asked["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/png;")
    model_server.queue(Script(status=400, error={"error": {"message": "images not supported"}}))
    refused = check_endpoint(endpoint)
    assert not refused.ok
    assert [row.model_name for row in Usage.objects.filter(purpose="probe")] == ["m"]
    assert "scripted refuses images" in refused.message
