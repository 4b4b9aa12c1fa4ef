"""By an embedder that nobody measured, nothing found is an answer too."""

from collections.abc import Iterator
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from accounts.models import User
from gateway.models import Deployment, Endpoint, Model
from knowledge.models import Collection, Embedding, EmbeddingVersion
from knowledge.retrieval import search, unrelated
from knowledge.retrieval.thresholds import nearness
from knowledge.versions import find_active_version
from tests.knowledge.conftest import AddText
from tests.support.model_server import ModelServer
from tests.support.model_server.completions import text_vector

pytestmark = pytest.mark.django_db(transaction=True)
QUESTION = "caravanserai?"  # no text has the word
COMMON = 0.8  # the cosine of any two texts
Vector = NDArray[np.float64]


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    unrelated.forget()
    yield
    unrelated.forget()


@pytest.fixture
def library(handbook: Collection, add_text: AddText) -> Collection:
    for n in range(12):
        add_text(handbook, f"Note {n} is about something else.", f"{n}.txt")
    return handbook


def random_unit(chance: np.random.Generator) -> Vector:
    vector = chance.normal(size=384)
    found: Vector = vector / np.linalg.norm(vector)
    return found


def fill(library: Collection, server: ModelServer) -> EmbeddingVersion:
    """A version by which any two texts are alike, and the question is like them, no more."""
    model = Model.objects.create(name="far", kind=Model.Kind.EMBEDDING, is_multilingual=True)
    endpoint = Endpoint.objects.create(name="E", base_url=server.url)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="far")
    version = EmbeddingVersion.objects.create(
        model="far", dimensions=384, is_multilingual=True, storage="float", state="ready"
    )
    chance = np.random.default_rng(1)
    asked = np.array(text_vector(QUESTION))
    centre = sqrt(COMMON) * asked + sqrt(1 - COMMON) * random_unit(chance)
    for row in Embedding.objects.filter(version=find_active_version()).order_by("pk"):
        vector = sqrt(COMMON) * centre + sqrt(1 - COMMON) * random_unit(chance)
        Embedding.objects.create(
            chunk=row.chunk, version=version, collection=library, script=row.script,
            precise=vector / np.linalg.norm(vector),
        )  # fmt: skip
    return version


def test_what_lies_no_nearer_than_anything_does_is_no_answer(
    alice: User, library: Collection, model_server: ModelServer
) -> None:
    version = fill(library, model_server)
    assert 0.7 < unrelated.base_of(version) < 0.9

    def found() -> tuple[int, list[str]]:
        asked = (alice, QUESTION, [library.pk])
        some = search(*asked, version=version).passages
        alike = search(*asked, version=version, only_alike=True).passages
        return len(some), [passage.title for passage in alike[:1]]

    assert found() == (10, [])
    near = Embedding.objects.filter(version=version).order_by("pk")[5]
    asked = np.array(text_vector(QUESTION))
    vector = sqrt(0.95) * asked + sqrt(0.05) * random_unit(np.random.default_rng(2))
    near.precise = vector / np.linalg.norm(vector)
    near.save()
    assert found() == (10, ["5"])


def test_too_few_vectors_say_nothing(handbook: Collection, add_text: AddText) -> None:
    active = find_active_version()
    assert unrelated.base_of(active) == 0
    unrelated.forget()
    add_text(handbook, "One note alone.", "one.txt")
    assert unrelated.base_of(active) == 0


def test_what_was_measured_stays_as_it_is() -> None:
    assert unrelated.thresholds_for(find_active_version()).base == 0
    assert (nearness(0.9), nearness(-0.2), nearness(None)) == (0.9, 0, 0)
    assert nearness(0.9, 0.8) == pytest.approx(0.5)
    assert nearness(0.7, 0.8) == 0
