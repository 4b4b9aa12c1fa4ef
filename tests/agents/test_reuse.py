"""An answer is given again only where all that it depends on is the same, for this very person."""

import asyncio
import io
from contextlib import aclosing
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction

from accounts.models import Grant, Membership
from accounts.services import create_team, everyone, share, unshare
from agents.loop import run_agent
from agents.memory.models import Memory
from agents.models import Agent, Saving
from agents.reuse import answers
from agents.reuse.answers import ANSWERS
from agents.selectors import agent_spec
from agents.services import remove_everything_of
from agents.types import (
    AgentTask,
    AnswerReused,
    AttachedFile,
    CitationAdded,
    Finished,
    GoingOn,
    PastMessage,
    Recollection,
    TextDelta,
    UsageRecorded,
)
from caching.flushing import flush
from caching.place import close_caches
from caching.servers import sync_client
from events import jobs
from gateway.chat import stream_chat
from gateway.complexity.aliases import fingerprint, forget_aliases
from gateway.complexity.corrections import correct
from gateway.controls import Controls
from gateway.errors import BudgetExhausted
from gateway.models import (
    Deployment,
    Endpoint,
    Model,
    RoutingAlias,
    RoutingChoice,
    RoutingRule,
    Usage,
)
from gateway.routing.routes import forget_routes
from gateway.services import connect_model
from gateway.upstream.session import close_pool
from knowledge import services
from security.ids import new_id
from tests.support.model_server import Script, model_server

__all__ = ["model_server"]
pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = "# Lighthouse\n\nThe lamp of the lighthouse turns once every twelve seconds.\n"
QUESTION = "How often does the lamp turn?"
SAID = "Once every twelve seconds [1]."


def add(user, collection, text, name):
    document, _ = services.add_document(user, collection, io.BytesIO(text.encode()), name)
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


@pytest.fixture(autouse=True)
def _fresh(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"
    forget_routes()
    for cache in ANSWERS.values():
        flush(cache.name)
    yield
    forget_routes()


@pytest.fixture
def guides(alice):
    return services.create_collection(alice, "Guides")


@pytest.fixture
def guide(alice, guides):
    return add(alice, guides, GUIDE, "guide.md")


@pytest.fixture
def agent(alice, model_server):
    endpoint = Endpoint.objects.create(name="loopback", base_url=model_server.url)
    connect_model(endpoint, "scripted", is_default=True)
    forget_routes()
    model_server.default = Script(text=SAID)
    return Agent.objects.create(owner=alice, name="Keeper", slug="keeper", reuse="person")


def task_of(agent, user, question=QUESTION, **fields):
    return AgentTask(agent_spec(agent), user, question, **fields)


def answer(*tasks):
    """The steps of each, one after the other."""

    async def listen():
        try:
            return [[step async for step in run_agent(task)] for task in tasks]
        finally:
            await close_caches()
            await close_pool()

    return asyncio.run(listen())


def is_reused(steps):
    return any(isinstance(step, AnswerReused) for step in steps)


def of(steps, kind):
    return [step for step in steps if isinstance(step, kind)]


def text_of(steps):
    return "".join(step.text for step in of(steps, TextDelta))


def asked_twice(first, second):
    """Whether the second is answered by what the first was told."""
    one, other = answer(first, second)
    assert not is_reused(one)
    return is_reused(other)


def test_the_same_question_is_answered_again_with_its_citations(alice, agent, guide, model_server):
    first, second = answer(*[task_of(agent, alice)] * 2)
    assert not is_reused(first)
    (reused,) = of(second, AnswerReused)
    assert not reused.is_similar
    assert text_of(second) == text_of(first) == "Once every twelve seconds [1]."
    assert of(second, CitationAdded) == of(first, CitationAdded) != []
    (done,) = of(second, Finished)
    assert (done.model, done.is_offline) == ("scripted", False)
    (usage,) = of(second, UsageRecorded)
    assert (usage.prompt_tokens, usage.attempts, usage.finish_reason) == (0, 0, "stop")
    assert len(model_server.chat_requests) == 1
    assert Usage.objects.filter(model_name="scripted").count() == 1
    saving = Saving.objects.get()
    assert (saving.answers, saving.tokens, saving.unpriced) == (1, 15, 1)


def test_it_is_off_until_somebody_switches_it_on(alice, agent, guide):
    assert Agent._meta.get_field("reuse").default == "off"
    Agent.objects.update(reuse="off")
    agent.refresh_from_db()
    assert not asked_twice(task_of(agent, alice), task_of(agent, alice))


def test_whatever_the_answer_depends_on_is_part_of_its_key(alice, agent, guide, model_server):
    """All of it misses what the first was told, and each is an answer of its own."""
    connect_model(Endpoint.objects.get(), "other")
    task = task_of(agent, alice)
    of_task = (
        {"question": "How fast does the lamp turn?"},
        {"history": (PastMessage("user", "Hi"), PastMessage("assistant", "Hello."))},
        {"memories": (Recollection(new_id(), "I am deaf."),)},
        {"goes_on": GoingOn("Once every")},
        {"extra": {"top_a": 1}},
        {"controls": Controls(seed=3)},
        {"collections": (new_id(),)},
    )
    of_agent = (
        {"id": new_id()}, {"instructions": "Rhyme."}, {"temperature": 0.9},
        {"max_answer_tokens": 17}, {"max_passages": 0}, {"model_name": "other"},
    )  # fmt: skip
    changed = [replace(task, **change) for change in of_task]
    changed += [replace(task, agent=replace(task.agent, **change)) for change in of_agent]
    first, *others, again = answer(task, *changed, task)
    assert not is_reused(first)
    assert [n for n, steps in enumerate(others) if is_reused(steps)] == []
    assert is_reused(again)


def test_what_is_never_kept(alice, agent, guide, model_server):
    task = task_of(agent, alice)
    file = AttachedFile(new_id(), new_id(), "gone.txt")
    never = [
        replace(task, is_temporary=True),
        replace(task, attachments=(file,)),
        replace(task, goes_on=GoingOn("Once every")),
    ]
    cut = Script(text=SAID, finish_reason="length")
    model_server.queue(*[Script(text=SAID)] * 6, cut)
    *steps, _cut, after_all_of_them = answer(*never, *never, task, task)
    assert not any(map(is_reused, steps))
    assert not is_reused(after_all_of_them)


def test_asking_anew_replaces_what_was_kept(alice, agent, guide, model_server):
    model_server.queue(Script(text="Old."), Script(text="New."))
    task = task_of(agent, alice)
    _old, anew, last = answer(task, replace(task, is_anew=True), task)
    assert (text_of(anew), is_reused(anew)) == ("New.", False)
    assert (text_of(last), is_reused(last)) == ("New.", True)


def test_asking_anew_asks_the_model_also_when_nothing_could_be_forgotten(
    alice, agent, guide, model_server, settings
):
    model_server.queue(Script(text="Old."), Script(text="New."))
    task = task_of(agent, alice)

    async def listen():
        try:
            old = [step async for step in run_agent(task)]
            settings.PARLEY_CACHE_URLS = ["redis://127.0.0.1:1/0"]  # the loop's client stays
            return old, [step async for step in run_agent(replace(task, is_anew=True))]
        finally:
            await close_caches()
            await close_pool()

    old, anew = asyncio.run(listen())
    assert text_of(old) == "Old."
    assert (text_of(anew), is_reused(anew)) == ("New.", False)


def test_what_an_alias_would_choose_now_is_asked(alice, agent, guide, model_server):
    """Somebody who says that a question is hard does not get the small model's answer again."""
    easy, hard = (connect_model(Endpoint.objects.get(), name) for name in ("easy", "hard"))
    alias = RoutingAlias.objects.create(
        model=Model.objects.create(name="auto"), simple=easy, medium=easy, hard=hard
    )
    agent.model_name = "auto"

    def ask():
        forget_routes()
        forget_aliases()
        (steps,) = answer(task_of(agent, alice))
        return of(steps, Finished)[0].model, is_reused(steps)

    assert [ask(), ask()] == [("easy", False), ("easy", True)]
    rule = RoutingRule.objects.create(alias=alias, conditions="tokens > 1", tier="hard")
    assert [ask(), ask()] == [("hard", False), ("hard", True)]
    rule.delete()
    assert ask() == ("easy", True)
    choice = RoutingChoice.objects.create(
        alias=alias, tier="simple", score=0, fingerprint=fingerprint(QUESTION)
    )
    correct(choice, "hard", alice.pk)
    assert ask() == ("hard", False)


# -- rights and versions -------------------------------------------------------------------------


def shared(agent, *people):
    Agent.objects.filter(pk=agent.pk).update(reuse="shared")
    agent.refresh_from_db()
    return agent


def test_a_person_never_gets_what_another_was_told(alice, bob, agent, guide, guides):
    share(guides, bob, Grant.Role.READER, by=alice)
    assert not asked_twice(task_of(agent, alice), task_of(agent, bob))


def test_shared_answers_go_to_those_with_the_same_rights_alone(
    alice, bob, charlie, agent, guide, guides, model_server
):
    share(guides, bob, Grant.Role.READER, by=alice)
    shared(agent)
    first, second, outsider = answer(*[task_of(agent, one) for one in (alice, bob, charlie)])
    assert [is_reused(one) for one in (first, second, outsider)] == [False, True, False]
    private = services.create_collection(bob, "Bob's own")
    add(bob, private, "# Bob\n\nBob collects stamps.\n", "bob.md")
    again, other = answer(task_of(agent, alice), task_of(agent, bob))
    assert is_reused(again)
    assert not is_reused(other)


def test_what_memory_told_of_a_person_stays_with_them(alice, bob, agent, guide, guides):
    """Even if another one's memory says the very same."""
    share(guides, bob, Grant.Role.READER, by=alice)
    shared(agent)
    told = (Recollection(new_id(), "I am deaf."),)
    first, second, again = answer(
        *[task_of(agent, one, memories=told) for one in (alice, bob, alice)]
    )
    assert [is_reused(one) for one in (first, second, again)] == [False, False, True]
    assert not Memory.objects.exists()


def test_a_change_of_rights_or_documents_is_a_miss_at_once(alice, bob, agent, guides, guide):
    share(guides, bob, Grant.Role.READER, by=alice)
    task = task_of(agent, bob)
    harbour = "# Harbour\n\nShips wait there.\n"

    def bump():
        type(guide).objects.filter(pk=guide.pk).update(version=guide.version + 1)

    def serve_otherwise():
        Deployment.objects.update(extra_body={"seed": 3})
        forget_routes()

    changes = (
        bump,
        lambda: add(alice, guides, harbour, "harbour.md"),
        serve_otherwise,
        lambda: unshare(guides, bob, by=alice),
    )
    assert asked_twice(task, task)
    for change in changes:
        change()
        missed, hit = answer(task, task)
        assert not is_reused(missed)
        assert is_reused(hit)
    share(guides, bob, Grant.Role.READER, by=alice)
    gone = guide.pk
    services.delete_document(guide)
    (steps,) = answer(task)
    assert not is_reused(steps)
    assert gone not in {citation.document_id for citation in of(steps, CitationAdded)}


def test_100_at_once_ask_once(alice, agent, guide, model_server):
    model_server.default = Script(text=SAID, first_delay=0.5)

    async def scenario():
        async def one():
            return [step async for step in run_agent(task_of_alice)]

        try:
            return await asyncio.gather(*(one() for _ in range(100)))
        finally:
            await close_caches()
            await close_pool()

    task_of_alice = task_of(agent, alice)
    answers = asyncio.run(scenario())
    assert len(model_server.chat_requests) == 1
    assert {text_of(steps) for steps in answers} == {"Once every twelve seconds [1]."}
    assert sum(map(is_reused, answers)) == 99


def test_a_redis_that_is_away_is_a_miss(alice, agent, guide, settings):
    settings.PARLEY_CACHE_URLS = ["redis://127.0.0.1:1/0"]
    first, second = answer(*[task_of(agent, alice)] * 2)
    assert text_of(first) == text_of(second) == "Once every twelve seconds [1]."
    assert not is_reused(second)


def test_the_error_of_who_asks_is_not_that_of_who_waits(alice, bob, agent, guide, guides):
    """A budget that is used up names its owner, and binds nobody else."""
    share(guides, bob, Grant.Role.READER, by=alice)
    shared(agent)
    error = BudgetExhausted(
        "Alice has spent it.", name="Hers", owner="alice", unit="tokens", left=Decimal(),
        needed=None, resets_at=None,
    )  # fmt: skip

    async def scenario():
        has_begun, may_fail = asyncio.Event(), asyncio.Event()

        async def chat(request):
            if request.account_id == alice.pk:
                has_begun.set()
                await may_fail.wait()
                raise error
            async with aclosing(stream_chat(request)) as items:
                async for item in items:
                    yield item

        async def steps_of(user):
            return [step async for step in run_agent(task_of_each[user], chat=chat)]

        try:
            first = asyncio.create_task(steps_of(alice))
            async with asyncio.timeout(60):
                await has_begun.wait()
            others = [asyncio.create_task(steps_of(bob)) for _ in range(3)]
            await asyncio.sleep(1)  # most of them wait by now; who is late asks anyway
            may_fail.set()
            return await asyncio.gather(first, *others, return_exceptions=True)
        finally:
            await close_caches()
            await close_pool()

    task_of_each = {user: task_of(agent, user) for user in (alice, bob)}
    failed, *said = asyncio.run(scenario())
    assert failed is error
    assert {text_of(steps) for steps in said} == {SAID}


def test_nobody_waits_for_ever_for_what_another_is_told(alice, agent, guide, monkeypatch):
    """A program may read its answer as slowly as it likes."""
    monkeypatch.setattr(answers, "LONGEST_WAIT", 0.2)

    async def scenario():
        has_begun, may_go_on = asyncio.Event(), asyncio.Event()

        async def slow(request):
            has_begun.set()
            await may_go_on.wait()
            async with aclosing(stream_chat(request)) as items:
                async for item in items:
                    yield item

        async def steps_of(**how):
            return [step async for step in run_agent(task, **how)]

        try:
            first = asyncio.create_task(steps_of(chat=slow))
            async with asyncio.timeout(60):
                await has_begun.wait()
                second = await steps_of()
            may_go_on.set()
            return await first, second, await steps_of()
        finally:
            await close_caches()
            await close_pool()

    task = task_of(agent, alice)
    first, second, third = asyncio.run(scenario())
    assert text_of(first) == text_of(second) == text_of(third) == "Once every twelve seconds [1]."
    assert [is_reused(steps) for steps in (first, second, third)] == [False, False, True]


def test_with_an_account_go_the_answers_that_were_kept_for_it(alice, bob, agent, guide, guides):
    """Not those of others; whoever comes back under the same id would be asked anew."""
    share(guides, bob, Grant.Role.READER, by=alice)
    share(agent, bob, Grant.Role.READER, by=alice)
    answer(task_of(agent, alice), task_of(agent, bob))
    with transaction.atomic():
        remove_everything_of(bob)
        assert is_reused(*answer(task_of(agent, bob))), "not before it is sure"
    hers, his = answer(task_of(agent, alice), task_of(agent, bob))
    assert [is_reused(hers), is_reused(his)] == [True, False]


def test_whoever_leaves_a_team_loses_what_its_members_were_told(
    alice, bob, charlie, agent, guides, guide, model_server
):
    """One document more for a narrower team: its members and the others never share an answer."""
    share(agent, everyone(), Grant.Role.READER, by=alice)
    share(guides, everyone(), Grant.Role.READER, by=alice)
    Agent.objects.filter(pk=agent.pk).update(reuse="shared")
    agent.refresh_from_db()
    narrow = create_team(alice, "Narrow")
    membership = Membership.objects.create(team=narrow, user=bob)
    secret = services.create_collection(alice, "Secret")
    add(alice, secret, "# Plan\n\nThe lamp is to be sold, and turns no more.\n", "plan.md")
    share(secret, narrow, Grant.Role.READER, by=alice)
    model_server.queue(Script(text="It is to be sold [1]."), Script(text=SAID))
    told, outside = answer(task_of(agent, bob), task_of(agent, charlie))
    assert not is_reused(told)
    assert not is_reused(outside)
    assert "sold" in text_of(told)
    assert "sold" not in text_of(outside)
    membership.delete()
    (left,) = answer(task_of(agent, bob))
    assert text_of(left) == text_of(outside), "what those outside are told"


def test_who_writes_into_redis_cannot_hand_one_person_what_another_was_told(
    alice, bob, agent, guide, guides, model_server
):
    """An entry is sealed for its place: in another's it is none."""
    share(guides, bob, Grant.Role.READER, by=alice)
    share(agent, bob, Grant.Role.READER, by=alice)
    model_server.queue(Script(text="For alice [1]."), Script(text="For bob [1]."))
    redis = sync_client()
    of_others = set(redis.scan_iter("*answers.*values"))
    answer(task_of(agent, alice), task_of(agent, bob))
    (key,) = set(redis.scan_iter("*answers.*values")) - of_others
    assert redis.hlen(key) == 2
    (one, hers), (other, his) = redis.hgetall(key).items()
    redis.hset(key, mapping={one: his, other: hers})
    for steps in answer(task_of(agent, alice), task_of(agent, bob)):
        assert not is_reused(steps)
        assert text_of(steps) == SAID
