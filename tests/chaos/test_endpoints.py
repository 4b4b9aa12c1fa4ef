"""Endpoints that die and return in mid-answer: every turn completes, nothing is lost or doubled."""

import os
import random
import re
import time
import uuid
from collections import Counter, defaultdict
from functools import partial

import pytest
from psycopg.types.json import Jsonb

from tests.support.model_server import ModelServer, Script

from .oracle import numbered
from .reader import Reader, reading

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600), pytest.mark.django_db]

COPY = """
    insert into {table} select (jsonb_populate_record(row, %s)).* from {table} row limit 1
"""
TURNS = """
    select t.id::text, t.status, q.text, a.text, t.error::text from chat_turn t
    join chat_message q on q.id = t.question_id join chat_message a on a.id = t.answer_id
"""
CALLS = """
    select turn_id::text, endpoint_name,
           case when strpos(detail, 'did not accept a connection') > 0
                then 'endpoint_unreachable' else outcome end, attempt
    from gateway_usage where turn_id is not null order by id
"""


NEVER_ARRIVED = {"endpoint_unreachable", "endpoint_busy"}
CALLS_OF = """
    select endpoint_name, outcome, attempt, total_ms, u.why from gateway_usage u
    join chat_turn t on t.id = u.turn_id join chat_message q on q.id = t.question_id
    where q.text = %s order by u.id
"""


class Mortal:
    """An endpoint on one port, and everything that its incarnations were asked and said."""

    def __init__(self, name, script):
        self.name = name
        self.script = script
        self.lives = [ModelServer(default=script).start()]
        self.port = self.lives[0].port

    @property
    def is_alive(self):
        return self.lives[-1]._thread.is_alive()

    def die(self):
        """All connections break off, and nobody listens any more."""
        self.lives[-1].stop()

    def come_back(self):
        self.lives.append(ModelServer(self.port, self.script).start())

    def ail(self, seconds):
        """Who asks now gets an error; streams that run go on."""
        self.lives[-1].default = Script(status=503)
        time.sleep(seconds)  # the fault itself, not a wait
        self.lives[-1].default = self.script

    @property
    def requests(self):
        return [body for life in self.lives for body in life.chat_requests]


def question_in(body):
    asked = next(m["content"] for m in body["messages"] if "Question:\n" in m["content"])
    return asked.rpartition("Question:\n")[2]


def rest_of(answer, body):
    """What a model would say behind what the request says was said."""
    whole = answer(question_in(body))
    last = body["messages"][-1]
    if last["role"] == "assistant":
        return whole[len(last["content"]) :]
    said = [m["content"] for m in body["messages"] if m["role"] == "assistant"]
    if not said:
        return whole
    anchor = re.split(r"exactly these: ", last["content"], maxsplit=1)[1]
    return whole[said[0].rindex(anchor) :]


@pytest.fixture
def mortals(stack, model):
    """Three endpoints of the model that everybody asks, instead of its usual one.

    Two continue an unfinished message; the third has to be asked to go on.
    """
    made = [Mortal(name, Script()) for name in ("north", "south", "east")]
    with stack.connect() as connection:
        connection.execute("update gateway_deployment set is_enabled = false")
        connection.execute("update gateway_model set strategy = 'least_busy'")
        for mortal in made:
            endpoint = {
                "id": str(uuid.uuid4()),
                "name": mortal.name,
                "base_url": f"http://127.0.0.1:{mortal.port}/v1",
                "max_concurrency": 250,  # each could carry all
            }
            deployment = {
                "id": str(uuid.uuid4()),
                "endpoint_id": endpoint["id"],
                "is_enabled": True,
                "capabilities": {"prefix": mortal.name != "east"},
            }
            for table, row in ("gateway_endpoint", endpoint), ("gateway_deployment", deployment):
                connection.execute(COPY.format(table=table), [Jsonb(row)])
    yield made
    for mortal in made:
        mortal.die()
    with stack.connect() as connection:
        names = [mortal.name for mortal in made]
        connection.execute(
            "delete from gateway_deployment where endpoint_id in"
            " (select id from gateway_endpoint where name = any(%s))", [names],
        )  # fmt: skip
        connection.execute("delete from gateway_endpoint where name = any(%s)", [names])
        connection.execute("update gateway_deployment set is_enabled = true")
        connection.execute("update gateway_model set strategy = 'priority'")
    for runner in stack.kinds["runner"]:  # it would ask these for two seconds more
        stack.kill(runner)


def strike(mortals, chance):
    """One endpoint dies, returns or ails; one at least goes on living. What it was."""
    dead = [mortal for mortal in mortals if not mortal.is_alive]
    living = [mortal for mortal in mortals if mortal.is_alive]
    if dead and (len(living) == 1 or chance.random() < 0.5):
        victim = chance.choice(dead)
        victim.come_back()
        return f"{victim.name} is back"
    victim = chance.choice(living)
    if chance.random() < 0.2:
        victim.ail(0.3)
        return f"{victim.name} ailed"
    victim.die()
    return f"{victim.name} died"


def storm(stack, mortals, *, streams, tokens, delay, seconds, seed):
    answer = partial(numbered, tokens=tokens)
    script = Script(text=partial(rest_of, answer), token_size=10, delay=delay)
    for mortal in mortals:
        mortal.script = mortal.lives[-1].default = script
    chance = random.Random(seed)
    readers = [Reader(f"e{n:03}", stack.session, stack.addresses) for n in range(streams)]
    with reading(readers, seconds=seconds + 300):
        stack.until(lambda: sum(len(reader.text) for reader in readers) > 20 * streams)
        began = time.monotonic()
        while (since := time.monotonic() - began) < seconds:
            print(f"{since:5.1f} s  {strike(mortals, chance)}", flush=True)
            time.sleep(chance.uniform(0.2, 1.5))
        for mortal in mortals:
            if not mortal.is_alive:
                mortal.come_back()
    return examine(stack, mortals, readers, answer)


def examine(stack, mortals, readers, answer):
    """Every turn is whole for its reader and in the store; every call was counted, once."""
    turns = stack.rows(TURNS)
    assert len(turns) == len(readers)
    wrong = [
        (question, status, len(text), error)
        for _pk, status, question, text, error in turns
        if status != "completed" or text != answer(question)
    ]
    assert not wrong, (wrong[:5], stack.rows(CALLS_OF, wrong[0][0]))
    assert all(reader.text == answer(reader.question) for reader in readers)
    calls = defaultdict(list)
    for turn, endpoint, outcome, attempt in stack.rows(CALLS):
        calls[turn].append((endpoint, outcome, attempt))
    counted, outcomes = Counter(), Counter()
    for turn, *_rest in turns:
        assert [attempt for *_call, attempt in calls[turn]] == list(range(1, len(calls[turn]) + 1))
        assert [outcome for _name, outcome, _n in calls[turn]].count("completed") == 1
        outcomes.update(call[:2] for call in calls[turn])
        counted.update(name for name, outcome, _n in calls[turn] if outcome not in NEVER_ARRIVED)
    arrived = Counter({mortal.name: len(mortal.requests) for mortal in mortals})
    assert counted == arrived, outcomes
    return counted, Counter(len(made) for made in calls.values())


def test_f15_answers_outlive_their_endpoints(stack, mortals):
    stack.webs(1)
    stack.runners(1)
    _counted, attempts = storm(
        stack, mortals, streams=24, tokens=120, delay=0.06, seconds=6, seed=5
    )
    assert max(attempts) > 1


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_f15_two_hundred_answers_outlive_their_endpoints(stack, mortals):
    """Two minutes; PARLEY_STREAMS, PARLEY_STORM_SECONDS and PARLEY_SEED as in the other storm."""
    seed = int(os.environ.get("PARLEY_SEED") or random.randrange(10**6))
    seconds = float(os.environ.get("PARLEY_STORM_SECONDS", "120"))
    print(f"\nPARLEY_SEED={seed}")
    stack.webs(1)
    stack.runners(1)
    counted, attempts = storm(
        stack, mortals, streams=int(os.environ.get("PARLEY_STREAMS", "200")),
        tokens=round(seconds / 0.2), delay=0.2, seconds=seconds, seed=seed,
    )  # fmt: skip
    print(f"calls of each endpoint: {counted}; attempts of an answer: {attempts}")
