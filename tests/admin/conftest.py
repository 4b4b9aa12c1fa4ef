import pytest
from django.test import Client
from django.utils import timezone
from pgvector import SparseVector

from accounts.models import Budget, BudgetBalance
from agents.models import Agent, McpServer, Measurement, ToolExecution
from chat.models import Citation, Conversation, Feedback, Message, Preference, Turn
from events import jobs
from events.leases import open_stream
from gateway.models import (
    Deployment,
    Endpoint,
    Model,
    RoutingAlias,
    RoutingChoice,
    RoutingRule,
    Usage,
)
from knowledge.analyzer import TERM_SPACE
from knowledge.models import (
    Chunk,
    Collection,
    Document,
    DocumentText,
    DocumentVersion,
    Source,
    Stage,
    StorageMeasurement,
    SyncRun,
)
from security.ids import new_id
from tests.support.cast import SECRET_WORDS


@pytest.fixture
def root_client(admin) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def furnish(admin):
    """Adds one row of every kind that the admin lists."""

    def make(number: int) -> None:
        collection = Collection.objects.create(owner=admin, name=f"Collection {number}")
        source = Source.objects.create(collection=collection, name="Uploads")
        SyncRun.objects.create(source=source, status="succeeded")
        document = Document.objects.create(
            collection=collection, source=source, title=f"Document {number}", file_name="a.txt",
            media_type="text/plain", size=3, sha256=f"{number:064}", added_by=admin,
        )  # fmt: skip
        DocumentText.objects.create(document=document, text="abc")
        DocumentVersion.objects.create(
            document=document, number=2, state="failed", file_id=new_id(), file_name="a.txt",
            media_type="text/plain", size=3, sha256=f"{number:064}", title="T",
            made_at=timezone.now(), source=source, added_by=admin,
        )  # fmt: skip
        StorageMeasurement.objects.create(model="m", dimensions=3, sample=number)
        Stage.objects.create(document=document, name="extract")
        Chunk.objects.create(
            document=document, collection=collection, version=1, position=0, text="abc",
            start=0, end=3, script="latin", length=1, terms=[1],
            bm25=SparseVector({1: 1.0}, TERM_SPACE),
        )  # fmt: skip
        agent = Agent.objects.create(owner=admin, name=f"Agent {number}", slug=f"agent-{number}")
        McpServer.objects.create(name=f"s{number}", url="https://mcp.example.org/mcp")
        ToolExecution.objects.create(
            run_id=new_id(), call_id=str(number), tool="t", owner=admin, agent=agent,
            arguments=SECRET_WORDS, output=SECRET_WORDS,
        )  # fmt: skip
        Measurement.objects.create(
            embedder="minilm", similarity=95, questions="a.csv", pairs=2, different=1, hits=1,
            false_hits=0, limit=0.05, measured_by=admin,
        )  # fmt: skip
        conversation = Conversation.objects.create(owner=admin, title=SECRET_WORDS, agent=agent)
        question = Message.objects.create(
            conversation=conversation, role="user", text=f"Is {SECRET_WORDS} on?"
        )
        answer = Message.objects.create(
            conversation=conversation, role="assistant", parent=question, text=SECRET_WORDS
        )
        Citation.objects.create(
            message=answer, document=document, chunk_id=new_id(), n=1, quote=SECRET_WORDS,
            start=0, end=3, title="T",
        )  # fmt: skip
        Feedback.objects.create(message=answer, person=admin, rating=1, agent=agent)
        Preference.objects.create(
            comparison=answer.pk, question=question, message=answer, person=admin
        )
        stream = open_stream(new_id(), "turn")
        Turn.objects.create(
            id=stream.pk, conversation=conversation, question=question, answer=answer,
            agent=agent, requested_by=admin,
        )  # fmt: skip
        jobs.enqueue("knowledge.jobs.ingest_document", {}, admin.pk, document.pk)
        endpoint = Endpoint.objects.create(name=f"E{number}", base_url="http://127.0.0.1:9/v1")
        model = Model.objects.create(name=f"m{number}")
        Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="m")
        Usage.objects.create(model_name="m")
        budget = Budget.objects.create(
            name=f"Budget {number}", limit=number, scope="agent", agent_id=agent.pk
        )
        BudgetBalance.objects.create(
            budget=budget, subject_id=agent.pk, starts_at="2026-01-01T00:00Z",
            ends_at="9999-01-01T00:00Z",
        )  # fmt: skip
        name = Model.objects.create(name=f"auto{number}")
        alias = RoutingAlias.objects.create(model=name, simple=model, medium=model, hard=model)
        RoutingRule.objects.create(alias=alias, conditions="code", tier="hard")
        RoutingChoice.objects.create(
            alias=alias, tier="hard", target="m", features={"code": 1}, score=1.5, voted_by="rule"
        )

    return make
