"""s45: a model that obeys everybody reaches no goal of anybody but the person.

27 goals × every way in: the calls are real and so is everything between them and the model, which
has the worst rights that a person can give: they allowed every tool always. Here each way is tried
with all goals at once; the chaos form tries each goal by itself in several wordings.
"""

import asyncio
import io
import textwrap
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import docx
import pytest
from django.http import Http404
from django.utils import timezone
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Paragraph, SimpleDocTemplate

from accounts import services as sharing
from agents.authority.ruleset import forget_rules
from agents.loop import run_agent
from agents.models import Agent, Approval, RunNote, ToolPermission
from agents.selectors import agent_spec
from agents.services import ensure_builtin_agents
from agents.tools import registry
from agents.types import (
    AgentTask,
    AttachedFile,
    Finished,
    Limits,
    PastMessage,
    Recollection,
    TextDelta,
    ToolApprovalRequested,
    ToolCompleted,
)
from chat.models import Turn
from chat.services import start_turn
from chat.turns import noting
from events import jobs, leases
from gateway.models import Endpoint
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.upstream.session import close_pool
from knowledge import services
from knowledge.models import Source
from security.ids import new_id
from tests.knowledge.extraction.test_ocr import needs_tesseract, picture_of, scan
from tests.knowledge.sources.conftest import add, admin, handbook, root, visit
from tests.knowledge.sources.repository import commit, make_repository
from tests.security.obedience import GOALS, WRAPPERS, Doings, bringing, told_to
from tests.support.attached import attached
from tests.support.model_server import model_server
from tests.support.obedient import FACT, obey

__all__ = ["add", "admin", "handbook", "model_server", "root"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]
QUESTION = "How often does the lamp turn?"
# Ways that this product does not have, so that nothing can come in by them.
NOT_APPLICABLE = {
    "comment in a Word file": "comments are not read out of it, as the test of that way sees",
}
# Of which the model reads the beginning alone, or what was recognised.
SHORT = {"file name", "commit message", "words in a picture"}
Way = Callable[[str], dict[str, Any]]  # what an attacker writes -> fields of the task


@pytest.fixture
def doings(monkeypatch) -> Doings:
    made = Doings([])
    known = {one.name: one for one in made.tools()} | {"git_log": registry.TOOLS["git_log"]}
    monkeypatch.setattr(registry, "TOOLS", known)
    return made


@pytest.fixture
def agent(alice, settings, tmp_path, model_server, doings) -> Agent:
    settings.FILES_ROOT = tmp_path / "files"
    settings.PARLEY_OCR = "eng"
    forget_routes()
    forget_rules()
    model_server.default = obey
    endpoint = Endpoint.objects.create(name="one", base_url=model_server.url)
    connect_model(endpoint, "obedient", is_default=True)
    made = ensure_builtin_agents(alice)
    yield made
    forget_routes()


def allow_everything(person, agent) -> None:
    ToolPermission.objects.bulk_create(
        ToolPermission(owner=person, agent=agent, tool=name, title=name)
        for name in (*GOALS, "look_around")
    )


def run(person, agent, **fields) -> tuple[list[Any], str]:
    """The steps of one question, and what was answered."""
    spec = replace(
        agent_spec(agent),
        tools=tuple(registry.TOOLS),
        limits=Limits(calls=100),
        max_passages=fields.pop("max_passages", 0),
    )
    question = fields.pop("question", QUESTION)

    async def listen():
        try:
            return [step async for step in run_agent(AgentTask(spec, person, question, **fields))]
        finally:
            await close_pool()

    steps = asyncio.run(listen())
    return steps, "".join(step.text for step in steps if isinstance(step, TextDelta))


# -- The ways in -----------------------------------------------------------------------------------


def document(person, data: bytes, name: str) -> dict[str, Any]:
    collection = services.create_collection(person, "Guides")
    made, _ = services.add_document(person, collection, io.BytesIO(data), name)
    jobs.run(str(made.job_id))
    made.refresh_from_db()
    assert made.status == "ready", made.reason
    return {"collections": (collection.pk,), "max_passages": 8}


def pdf(text: str) -> bytes:
    made = io.BytesIO()
    SimpleDocTemplate(made).build([Paragraph(text, getSampleStyleSheet()["BodyText"])])
    return made.getvalue()


def picture(text: str) -> bytes:
    """Scanned pages: what they say is read by Tesseract."""
    lines = [FACT, *textwrap.wrap(text.replace(FACT, ""), 48)]
    pages = [lines[first : first + 8] for first in range(0, len(lines), 8)]
    return scan(*(picture_of("\n".join(page)) for page in pages))


def word(text: str, comment: str = "") -> bytes:
    made, stream = docx.Document(), io.BytesIO()
    paragraph = made.add_paragraph(text)
    if comment:
        made.add_comment(paragraph.runs, comment, author="Mallory")
    made.save(stream)
    return stream.getvalue()


def file_way(person, text: str) -> dict[str, Any]:
    found = attached(person, text, "offer.md")
    return {"attachments": (AttachedFile(found.pk, found.collection_id, found.title),)}


def ways(person, monkeypatch, request) -> dict[str, Way]:
    def with_tool(tool, question=f"{QUESTION} CALL look_around") -> dict[str, Any]:
        monkeypatch.setitem(registry.TOOLS, tool.name, tool)
        return {"question": question}

    def repository(text: str) -> dict[str, Any]:
        made = make_repository(request.getfixturevalue("root") / f"{new_id()}.git")
        commit(made, {"README.md": "# Tea\n"}, message=text)
        Source.objects.all().delete()
        source = request.getfixturevalue("add")("git", address=made.path)
        visit(source)
        return {"question": f"{QUESTION} CALL git_log", "collections": (source.collection_id,)}

    said = f"{QUESTION} Say it again."
    return {
        "document": lambda text: document(person, text.encode(), "guide.md"),
        "web page": lambda text: document(person, f"<p>{text}</p>".encode(), "guide.html"),
        "PDF": lambda text: document(person, pdf(text), "guide.pdf"),
        "words in a picture": lambda text: document(person, picture(text), "guide.pdf"),
        "Word file": lambda text: document(person, word(text), "guide.docx"),
        "comment in a Word file": lambda text: document(person, word(FACT, text), "guide.docx"),
        "file name": lambda text: document(person, FACT.encode(), f"{_name_of(text)}.md"),
        "attached file": lambda text: file_way(person, text),
        "commit message": repository,
        "result of a tool": lambda text: with_tool(bringing(text)),
        "description of another's tool": lambda text: with_tool(
            bringing("", description=text, server="wiki"), question=QUESTION
        ),
        "question of somebody else": lambda text: {
            "history": (PastMessage("user", text),), "question": said,
        },
        "earlier answer": lambda text: {
            "history": (PastMessage("user", QUESTION), PastMessage("assistant", text)),
            "question": said,
        },
        "shared conversation": lambda text: {
            "history": (PastMessage("user", text), PastMessage("assistant", FACT)),
            "question": said,
        },
    }  # fmt: skip


def _name_of(text: str) -> str:
    """As much of it as a name holds."""
    return text.replace(FACT, "").replace('"', "").strip()[:150]


WAYS = (
    "document", "web page", "PDF", pytest.param("words in a picture", marks=needs_tesseract),
    "Word file", "comment in a Word file", "file name", "attached file", "commit message",
    "result of a tool", "description of another's tool", "question of somebody else",
    "earlier answer", "shared conversation",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_s45_no_goal_is_reached_and_the_question_is_answered(
    way, alice, agent, doings, monkeypatch, request, model_server
):
    allow_everything(alice, agent)
    fields = ways(alice, monkeypatch, request)[way](told_to(GOALS))
    steps, answer = run(alice, agent, **fields)
    assert doings.done == []
    assert FACT in answer
    assert isinstance(steps[-1], Finished)
    ended = {step.call_id: step.status for step in steps if isinstance(step, ToolCompleted)}
    tried = [status for status in ended.values() if status == "denied"]
    if way not in NOT_APPLICABLE:  # the model was told to, and tried
        assert len(tried) >= (1 if way in SHORT else len(GOALS))
    for body in model_server.chat_requests:
        assert_only_in_quotations(body, way)


def assert_only_in_quotations(body: dict[str, Any], way: str) -> None:
    """No system message holds a byte of it, whatever the way."""
    for message in body["messages"]:
        if message["role"] in ("system", "developer"):
            assert "CALL " not in str(message["content"]), way


def test_the_person_themselves_is_obeyed(alice, agent, doings):
    """So that the test above could fail: what they allowed always is done when they say so."""
    allow_everything(alice, agent)
    run(alice, agent, question=f"{QUESTION} {told_to(['send_mail', 'change_setting'])}")
    assert sorted(doings.done) == ["change_setting", "send_mail"]


def test_without_permission_even_they_are_asked_and_nothing_happens(alice, agent, doings):
    turn = new_id()
    question = f"{QUESTION} {told_to(['send_mail'])}"
    steps, _answer = run(alice, agent, question=question, turn_id=turn, conversation_id=new_id())
    (asked,) = [step for step in steps if isinstance(step, ToolApprovalRequested)]
    assert doings.done == []
    row = Approval.objects.get()
    assert (row.pk, row.run_id, row.status) == (asked.approval_id, turn, "waiting")
    assert not [step for step in steps if isinstance(step, Finished)]


def test_nobody_but_the_person_says_anything_to_a_run(alice, bob, agent, doings):
    """Not even who may ask in their conversation; and what lay there all the same is not heard."""
    allow_everything(alice, agent)
    turn = start_turn(alice, None, QUESTION)
    sharing.share(turn.conversation, bob, "editor", by=alice)
    with pytest.raises(Http404):
        noting.say(bob, turn.pk, told_to(GOALS))
    assert not RunNote.objects.exists()
    RunNote.objects.create(run_id=turn.pk, owner=bob, text=told_to(GOALS))
    claim = leases.claim_one(turn.pk, "runner")
    _steps, answer = run(alice, agent, turn_id=turn.pk, fence=claim.fence)
    assert (doings.done, FACT in answer) == ([], False)  # it has read nothing at all
    Turn.objects.filter(pk=turn.pk).update(status="completed", finished_at=timezone.now())
    assert noting.sweep() == 0


def test_what_is_remembered_comes_from_the_person_alone_and_still_sends_nothing(
    alice, agent, doings
):
    """Memory is what they said themselves; it is private, so a permission does not cover it."""
    allow_everything(alice, agent)
    sends = [name for name, effect in GOALS.items() if effect == "sends"]
    known = Recollection(UUID(int=1), told_to(sends))
    _steps, answer = run(alice, agent, memories=(known,))
    assert doings.done == []
    assert FACT in answer


def test_no_image_is_fetched_and_no_secret_is_said_by_the_server(
    alice, agent, monkeypatch, request, model_server
):
    """What the page does with an image that points elsewhere: tests/browser/test_markdown_safety.py
    (nothing); the server itself asks nobody."""
    before = len(model_server.requests)
    text = f"{FACT} IMAGE {model_server.url}/pixel.png?q=secret"
    fields = ways(alice, monkeypatch, request)["document"](text)
    _steps, answer = run(alice, agent, **fields)
    assert FACT in answer
    assert not [one for one in model_server.requests[before:] if "pixel" in one.path]


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("way", WAYS)
def test_s45_each_goal_by_itself_and_all_in_each_wording(
    way, alice, agent, doings, monkeypatch, request
):
    allow_everything(alice, agent)
    tries = [(list(GOALS), wrapper) for wrapper in WRAPPERS]
    tries += [([goal], WRAPPERS[n % len(WRAPPERS)]) for n, goal in enumerate(GOALS)]
    for goals, wrapper in tries:
        fields = ways(alice, monkeypatch, request)[way](told_to(goals, wrapper))
        _steps, answer = run(alice, agent, **fields)
        assert (doings.done, FACT in answer) == ([], True), (goals, wrapper)
