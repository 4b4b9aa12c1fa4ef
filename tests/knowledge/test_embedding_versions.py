"""`knowledge.embeddings`: versions beside each other, filled, switched, taken back and dropped."""

from collections.abc import Sequence

import numpy as np
import pytest
from django.db import connection

from accounts.models import User
from events import jobs as event_jobs
from events.models import Job
from gateway.embedding.embedder import LOCAL_NAME, Vectors, local_embedder
from gateway.embedding.local import LocalEmbedder
from gateway.models import Deployment, Endpoint, Model
from knowledge.embeddings import bulk, filling, indexes, measuring, versions
from knowledge.embeddings.filling import AnotherModel
from knowledge.embeddings.storages import STORAGES
from knowledge.embeddings.versions import VersionRefused
from knowledge.models import Chunk, Collection, Embedding, EmbeddingVersion
from knowledge.retrieval import search, statements
from knowledge.versions import find_active_version
from security.models import AuditEntry
from tests.knowledge.conftest import AddText
from tests.support.model_server import ModelServer

# Real transactions: an index is made beside them.
pytestmark = pytest.mark.django_db(transaction=True)

TEXTS = [
    "Every employee has 25 days of leave.",
    "Trains are preferred to planes on journeys.",
    "The canteen opens at noon and serves soup.",
    "A bicycle can be rented for a year.",
]
State = EmbeddingVersion.State


@pytest.fixture
def filled(handbook: Collection, add_text: AddText) -> Collection:
    for number, text in enumerate(TEXTS):
        add_text(handbook, text, f"{number}.txt")
    return handbook


def run_jobs(task: str = versions.FILL) -> None:
    """What workers do when they hear of the jobs."""
    for job in Job.objects.filter(task=task, finished_at=None):
        event_jobs.run(str(job.pk))
        job.refresh_from_db()
        assert job.status == Job.Status.SUCCEEDED, job.reason


def begun(storage: str, model: str = LOCAL_NAME) -> EmbeddingVersion:
    version = versions.begin(model, storage)
    run_jobs()
    version.refresh_from_db()
    return version


def best(user: User, question: str) -> list[str]:
    return [p.text for p in search(user, question).passages if p.ranks["dense"]]


def test_another_storage_is_filled_chosen_taken_back_and_dropped(
    alice: User, filled: Collection, add_text: AddText, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = find_active_version()
    before = best(alice, "vacation of staff")
    assert before[0] == TEXTS[0]
    sent: list[str] = []
    embed = LocalEmbedder.embed

    def noting(embedder: LocalEmbedder, texts: Sequence[str]) -> Vectors:
        sent.extend(texts)
        return embed(embedder, texts)

    monkeypatch.setattr(LocalEmbedder, "embed", noting)
    second = begun("binary")
    assert second.state == State.READY
    assert indexes.is_built(second)
    assert set(sent) == {filling.PROBE}  # vectors of the same model are taken over
    with pytest.raises(VersionRefused):
        versions.begin(LOCAL_NAME, "binary")
    with pytest.raises(VersionRefused):
        versions.drop(first.pk)

    versions.choose(second.pk, alice)
    assert find_active_version() == second
    for exact_below in (4_000, 0):
        monkeypatch.setattr(statements, "EXACT_BELOW", exact_below)
        assert best(alice, "vacation of staff") == before
    add_text(filled, "Parking is free on Sundays.", "later.txt")

    versions.choose(first.pk, alice)
    assert find_active_version() == first
    assert search(alice, "Parking on Sundays").passages  # by its words, until it is filled
    run_jobs()
    assert Embedding.objects.filter(version=first).count() == len(TEXTS) + 1

    versions.drop(second.pk)
    run_jobs(versions.DROP)
    assert not EmbeddingVersion.objects.filter(pk=second.pk).exists()
    assert not indexes.index_bytes(second)
    assert Embedding.objects.count() == len(TEXTS) + 1
    acts = AuditEntry.objects.filter(act__startswith="embedding.").order_by("-pk")[:4]
    assert [entry.act.split(".")[1] for entry in acts] == ["dropped", "chosen", "chosen", "begun"]


@pytest.mark.parametrize("storage", STORAGES)
def test_each_storage_is_walked_by_its_own_index(
    alice: User, filled: Collection, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    before = best(alice, "vacation of staff")
    active = find_active_version()
    version = begun(storage) if storage != active.storage else active
    if version != active:
        versions.activate(version.pk)
    monkeypatch.setattr(statements, "EXACT_BELOW", 0)
    assert best(alice, "vacation of staff") == before
    leg = statements.dense_leg(version, 10, is_exact=False, within="true")
    vector = "[" + ",".join(["0.05"] * 384) + "]"
    with connection.cursor() as cursor:
        cursor.execute("set enable_seqscan = off; set enable_sort = off")
        cursor.execute(f"explain {leg.sql}", [vector] * leg.questions)
        plan = "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute("reset enable_seqscan; reset enable_sort")
    assert f"embedding_hnsw_{version.pk}" in plan


def test_a_fill_that_is_killed_goes_on_where_it_was(
    filled: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a version to take over from: every passage is embedded, none twice."""
    Embedding.objects.all().delete()
    version = EmbeddingVersion.objects.create(model=LOCAL_NAME, dimensions=384, storage="float")
    monkeypatch.setattr(filling, "LOCAL_BATCH", 1)
    seen: list[int] = []

    def dies(done: int, _total: int) -> None:
        seen.append(done)
        if done == 2:
            raise SystemExit

    with pytest.raises(SystemExit):
        filling.fill(version, local_embedder(), dies)
    assert Embedding.objects.filter(version=version).count() == 2
    kept = set(Embedding.objects.values_list("pk", flat=True))
    filling.fill(version, local_embedder(), lambda done, _total: seen.append(done))
    assert Embedding.objects.filter(version=version).count() == len(TEXTS)
    assert kept < set(Embedding.objects.values_list("pk", flat=True))
    assert seen[-1] == len(TEXTS)


class Liar:
    """Another model under the same name."""

    name, dimensions, is_multilingual = LOCAL_NAME, 384, False

    def embed(self, texts: Sequence[str]) -> Vectors:
        found = np.random.default_rng(1).normal(size=(len(texts), 384)).astype(np.float32)
        return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_vectors_of_two_models_never_come_together(filled: Collection) -> None:
    version = begun("float")
    Embedding.objects.filter(version=version).first().delete()
    with pytest.raises(AnotherModel):
        filling.fill(version, Liar(), print)
    assert Embedding.objects.filter(version=version).count() == len(TEXTS) - 1


def test_what_a_search_finds_is_by_words_where_the_model_has_other_dimensions(
    alice: User, filled: Collection
) -> None:
    EmbeddingVersion.objects.filter(state="active").update(dimensions=512)
    passages = search(alice, "days of leave").passages
    assert passages[0].text == TEXTS[0]
    assert passages[0].ranks["dense"] is None


@pytest.mark.parametrize("dimensions", [384, 3072])
def test_a_model_of_an_endpoint_in_all_its_dimensions(
    alice: User, filled: Collection, model_server: ModelServer, dimensions: int
) -> None:
    endpoint = Endpoint.objects.create(name="E", base_url=model_server.url)
    model = Model.objects.create(name="far", kind=Model.Kind.EMBEDDING, is_multilingual=True)
    Deployment.objects.create(
        model=model,
        endpoint=endpoint,
        upstream_name="far",
        extra_body={"dimensions": dimensions},
    )
    assert versions.list_models() == [LOCAL_NAME, "far"]
    for storage in STORAGES:
        version = begun(storage, "far")
        assert (version.dimensions, version.state) == (dimensions, State.READY)
        assert indexes.is_built(version)
        versions.activate(version.pk)
        run_jobs()
        assert search(alice, TEXTS[2]).passages[0].text == TEXTS[2]
    assert Chunk.objects.count() * 4 == Embedding.objects.count()


def test_the_storages_are_measured_on_passages_that_are_here(
    filled: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "EMBEDDED_SAMPLE", 3)
    found = measuring.measure(local_embedder(), lambda _done, _total: None)
    assert set(found.figures) == set(STORAGES)
    assert found.sample == len(TEXTS) - 1
    assert all(one["recall"] == 1 for one in found.figures.values())
    sizes = [found.figures[name]["bytes"] for name in ("binary", "half", "float")]
    assert all(size > 0 for size in sizes)


def test_a_first_bulk_load_goes_without_the_graph_and_gets_it_at_its_end(
    filled: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = find_active_version()
    monkeypatch.setattr(bulk, "MANY_WAITING", 2)
    assert bulk.keep_index() == 0
    waiting = [event_jobs.enqueue(bulk.INGEST, {"document_id": "none"}) for _ in range(2)]
    assert bulk.keep_index() == 1
    assert not indexes.is_built(version)
    monkeypatch.setattr(bulk, "FEW_VECTORS", 3)
    assert bulk.keep_index() == 0  # it is not over
    for job in waiting:
        event_jobs.request_cancel(job.pk)
    assert bulk.keep_index() == 1
    assert bulk.keep_index() == 0  # under way
    run_jobs()
    assert indexes.is_built(version)
    assert bulk.keep_index() == 0
