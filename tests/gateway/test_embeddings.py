"""`gateway.embedding.remote`: vectors from an endpoint, and which embedder is in use."""

import numpy as np
import pytest

from caching.flushing import flush
from gateway.embedding.embedder import LOCAL_NAME, EmbedderUnavailable, get_embedder
from gateway.embedding.remote import REQUEST_TEXTS, RemoteEmbedder
from gateway.errors import BadCredentials, BadRequest, EndpointUnreachable, UpstreamFailed
from gateway.models import Deployment, Endpoint, Model
from security.secrets import seal
from tests.support.model_server import ModelServer, Script

# Usage rows are written by another thread.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> None:
    flush("vectors")


def deploy(url: str, *, priority: int = 10, key: str = "", name: str = "embed-1") -> Model:
    endpoint = Endpoint(name=f"E{priority}", base_url=url)
    if key:
        endpoint.secret = seal(key, f"endpoint:{endpoint.pk}")
    endpoint.save()
    model, _ = Model.objects.get_or_create(
        name=name,
        defaults={"kind": Model.Kind.EMBEDDING, "is_default": True, "is_multilingual": True},
    )
    Deployment.objects.create(
        model=model, endpoint=endpoint, upstream_name="upstream-embed", priority=priority
    )
    return model


def test_without_a_model_the_embedded_one_is_used() -> None:
    assert get_embedder().name == LOCAL_NAME


def test_a_default_model_replaces_it(model_server: ModelServer) -> None:
    deploy(model_server.url, key="sk-embed-0123456789")
    embedder = get_embedder()
    texts = [f"text {n}" for n in range(REQUEST_TEXTS + 6)] + [""]
    vectors = embedder.embed(texts)
    assert (embedder.name, embedder.is_multilingual) == ("embed-1", True)
    assert vectors.shape == (len(texts), embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)
    assert np.allclose(vectors[3], embedder.embed(["text 3"])[0])
    assert embedder.embed([]).shape == (0, embedder.dimensions)


def test_the_embedded_one_is_still_there_by_name(model_server: ModelServer) -> None:
    deploy(model_server.url)
    assert get_embedder(LOCAL_NAME).name == LOCAL_NAME
    assert isinstance(get_embedder("embed-1"), RemoteEmbedder)


def test_a_model_nobody_serves_is_an_error(model_server: ModelServer) -> None:
    model = deploy(model_server.url)
    Endpoint.objects.update(is_enabled=False)
    with pytest.raises(EmbedderUnavailable, match="embed-1"):
        get_embedder(model.name)
    assert get_embedder().name == LOCAL_NAME


def test_the_next_deployment_answers_when_the_first_is_down(model_server: ModelServer) -> None:
    deploy("http://127.0.0.1:9/v1", priority=1)
    deploy(model_server.url, priority=2)
    assert get_embedder().embed(["text"]).shape[0] == 1


def test_an_unreachable_endpoint_is_named_so() -> None:
    deploy("http://127.0.0.1:9/v1")
    with pytest.raises(EndpointUnreachable):
        get_embedder().embed(["text"])


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (Script(status=401, error={"error": {"message": "bad key"}}), BadCredentials),
        (Script(status=400, error="no"), BadRequest),
    ],
)
def test_refusals_are_typed(
    model_server: ModelServer, script: Script, error: type[Exception]
) -> None:
    deploy(model_server.url)
    model_server.queue_embeddings(script, script, script)
    with pytest.raises(error):
        get_embedder().embed(["text"])


def test_a_wrong_dimension_is_refused(model_server: ModelServer) -> None:
    model = deploy(model_server.url)
    Model.objects.filter(pk=model.pk).update(dimensions=7)
    with pytest.raises(UpstreamFailed):
        get_embedder().embed(["text"])
