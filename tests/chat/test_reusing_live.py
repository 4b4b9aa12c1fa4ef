"""Answers that are given again on the running product: real processes, sockets, a Redis to kill."""

import io
import itertools
import urllib.request
from uuid import uuid4

import pytest

from accounts import tokens
from accounts.models import Grant
from accounts.services import share, unshare
from agents.models import Agent
from events import jobs
from knowledge import services as knowledge
from knowledge.quality.approved import approve, withdraw
from tests.caching.conftest import OwnRedis
from tests.chat.stage import connected
from tests.support.model_server import Script
from tests.support.processes import Processes, Tab, is_kind, sign_in

# A machine so busy that its Redis seems to be away would miss: `test_reusing` has the short forms.
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.processes,
    pytest.mark.timeout(400),
    pytest.mark.django_db(transaction=True),
]
GUIDE = "# Lighthouse\n\nThe lamp of the lighthouse turns once every twelve seconds.\n"
QUESTION = "How often does the lamp of the lighthouse turn?"
ENDS = is_kind("message_completed", "turn_failed", "turn_stopped", "turn_interrupted", "refused")


class Asking(Tab):
    """A tab that asks the keeper, and tells what came of it."""

    def begin(self, text=QUESTION, **fields):
        self.frames.clear()
        self.send(type="turn.start", id=str(uuid4()), text=text, agent="keeper", **fields)

    def end(self):
        """The words, and whether they were said before."""
        assert self.until(ENDS)["kind"] == "message_completed"
        return self.text, bool(self.events("answer_reused"))

    def __call__(self, text=QUESTION, **fields):
        self.begin(text, **fields)
        return self.end()

    @property
    def accepted(self):
        return next(frame for frame in self.frames if frame["type"] == "accepted")

    def events(self, kind):
        return [frame for frame in self.frames if frame.get("kind") == kind]


@pytest.fixture
def redis(tmp_path):
    own = OwnRedis(tmp_path / "redis")
    yield own
    own.end()


@pytest.fixture
def port(redis):
    processes = Processes(PARLEY_CACHE_URLS=redis.url)
    processes.start("runner")
    yield processes.serve()[1]
    processes.end()


def add(user, collection, text, name):
    document, _ = knowledge.add_document(user, collection, io.BytesIO(text.encode()), name)
    jobs.run(str(document.job_id))


def numbered():
    """Each call of the model says which one it was."""
    calls = itertools.count()
    return Script(text=lambda _body: f"Every twelve seconds [1]. Told {next(calls)}.")


@pytest.fixture
def guides(admin, alice, bob, model_server):
    """What alice and bob may read, and an agent that shares its answers among them."""
    connected(admin, model_server, numbered())
    found = knowledge.create_collection(alice, "Guides")
    add(alice, found, GUIDE, "guide.md")
    agent = Agent.objects.create(owner=alice, name="Keeper", slug="keeper", reuse="shared")
    for thing in (found, agent):
        share(thing, bob, Grant.Role.READER, by=alice)
    approve(alice, found, "Who is on duty?", "Nobody.")  # processes look for some from now on
    return found


def told(n, mark=" [1]"):
    """Without its mark where nothing was found that it could mean."""
    return f"Every twelve seconds{mark}. Told {n}."


def test_answers_given_again_on_the_running_product(guides, port, redis, alice, bob, model_server):
    """One start of the processes for all of it."""
    with Asking(port, sign_in(alice)) as hers, Asking(port, sign_in(bob)) as his:
        what_is_shared(hers, his, guides, alice, bob)
    Agent.objects.filter(slug="keeper").update(reuse="person")
    model_server.requests.clear()
    with Asking(port, sign_in(alice)) as one, Asking(port, sign_in(alice)) as other:
        two_at_once(one, other, model_server)
        model_server.default = numbered()
        a_deleted_conversation(one, other, port, tokens.issue(alice, "alice")[1])
        a_cache_that_dies(one, redis, model_server)


def what_is_shared(hers, his, guides, alice, bob):
    """Nobody is given what is not theirs, or not so any more."""
    assert hers() == (told(0), False)
    assert his() == (told(0), True)
    assert his.events("citation_added")
    assert hers(temporary=True) == (told(1), False)
    assert hers() == (told(0), True)
    assert hers("灯塔的灯多久转一次？") == (told(2, mark=""), False)
    assert hers(collections=[str(guides.pk)]) == (told(3), False)

    # Asked anew by one, given anew to both.
    assert hers() == (told(0), True)
    talk, asked = (hers.accepted[name] for name in ("conversation_id", "question_id"))
    assert hers("", conversation=talk, question=asked) == (told(4), False)
    assert his() == (told(4), True)

    # A curator's words come first, and are nobody's answer when they are withdrawn.
    pinned = approve(alice, guides, QUESTION, "Ask the keeper.")
    assert his() == ("Ask the keeper.", False)
    withdraw(alice, pinned)
    assert his() == (told(4), True)

    # Another document, and a right that is taken away.
    add(alice, guides, "# Harbour\n\nShips wait there.\n", "harbour.md")
    assert his() == (told(5), False)
    unshare(guides, bob, by=alice)
    assert his() == (told(6, mark=""), False)
    assert not his.events("citation_added")
    assert hers() == (told(5), True)


def two_at_once(one, other, model_server):
    """They are one call of the model."""
    model_server.default = Script(text="Once, for both [1].", first_delay=1)
    one.begin()
    one.until(is_kind("retrieval_completed"))
    other.begin()
    said = [one.end(), other.end()]
    assert said == [("Once, for both [1].", False), ("Once, for both [1].", True)]
    assert len(model_server.chat_requests) == 1


def a_deleted_conversation(one, other, port, key):
    """With it goes what it left."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/conversations/{one.accepted['conversation_id']}",
        method="DELETE", headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as response:
        assert response.status == 204
    assert other() == (told(0), False)
    assert one() == (told(0), True)


def a_cache_that_dies(one, redis, model_server):
    """A miss, never an error; it works again when it is back, empty."""
    redis.kill()
    assert one() == (told(1), False)
    assert one() == (told(2), False)
    redis.start()
    model_server.default = Script(text="Back [1].")
    said = [one() for _ in range(3)]
    while not said[-1][1]:  # nobody asks it in the first two seconds
        said.append(one())
    assert {text for text, _again in said} == {"Back [1]."}
