"""Many streams, random kills of everything, and the oracle: `make chaos` for the long form."""

import os
import random
import signal
import time
from functools import partial

import pytest

from tests.support.model_server import Script

from .oracle import asked, examine, numbered
from .reader import Reader, reading
from .stack import frozen

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600), pytest.mark.django_db]


def script(tokens, delay):
    """Numbered answers, no two tokens alike; the oracle computes the same text."""
    said = partial(numbered, tokens=tokens)
    answer = Script(text=lambda body: said(asked(body)), token_size=10, delay=delay)
    return answer, said


def ask(stack, names, **options):
    return [Reader(name, stack.session, stack.addresses, **options) for name in names]


def spoken(readers, share, answer):
    """Whether this share of all that will be said has been read."""
    whole = sum(len(answer(reader.question)) for reader in readers)
    return sum(len(reader.text) for reader in readers) > share * whole


def test_f01_f05_f08_kills_of_web_redis_and_postgres_cost_nobody_a_character(stack, model):
    """Faults 1, 5, 8, 9, 21 and 23 under twenty streams: no call repeated, no turn cut short."""
    model.default, answer = script(150, delay=0.06)
    webs, _runners = stack.webs(2), stack.runners(2, lease=60)  # a busy machine loses no lease
    readers = ask(stack, [f"q{n:02}" for n in range(16)])
    readers += ask(stack, ["restless1", "restless2"], hops=2)
    readers += ask(stack, ["stopped1", "stopped2"], stops_after=700)
    with reading(readers):
        for share, fault in (
            (0.1, lambda: stack.kill(webs[0])),
            (0.2, lambda: (stack.kill_redis(), stack.return_redis())),
            (0.4, lambda: (stack.kill_postgres(), stack.return_postgres())),
        ):
            stack.until(partial(spoken, readers, share, answer))
            fault()
    tally = examine(stack, model, readers, answer)
    assert (tally["completed"], tally["stopped"]) in {(18, 2), (19, 1)}  # stopped while away
    assert all(reader.sockets > 10 for reader in readers[16:18])


def test_f02_a_killed_runners_turns_are_closed_or_begun_anew(stack, model):
    """Faults 2 and 3: never two writers; what was said is kept and labelled."""
    model.default, answer = script(150, delay=0.03)
    stack.webs(1)
    runners = stack.runners(2)
    readers = ask(stack, [f"r{n:02}" for n in range(16)])
    with reading(readers):
        stack.until(partial(spoken, readers, 0.2, answer))
        stack.kill(runners[0])
    tally = examine(stack, model, readers, answer, may_repeat_calls=True)
    assert set(tally) <= {"completed", "interrupted"}


def hit(stack, chance):
    """One blow, and what a supervisor does about it; its name."""
    webs, runners = stack.webs(2), stack.runners(2)
    blow = chance.choice(
        ["kill web", "stop web", "kill runner", "stop runner", "freeze runner", "freeze web",
         "kill redis", "freeze redis", "kill postgres", "stop postgres"]
    )  # fmt: skip
    match blow.split():
        case [how, "web" | "runner" as what] if how != "freeze":
            victim = chance.choice(webs if what == "web" else runners)
            stack.kill(victim, signal.SIGKILL if how == "kill" else signal.SIGTERM)
        case ["freeze", "web" | "runner" | "redis" as what]:
            victims = {"web": webs, "runner": runners, "redis": [stack.redis]}
            with frozen(chance.choice(victims[what])):
                time.sleep(chance.uniform(1, 6))  # the fault itself, not a wait
        case [_, "redis"]:
            stack.kill_redis()
            stack.return_redis()
        case [how, "postgres"]:
            stack.kill_postgres(signal.SIGKILL if how == "kill" else signal.SIGINT)
            stack.return_postgres()
    stack.webs(2)
    stack.runners(2)
    return blow


@pytest.mark.chaos
@pytest.mark.timeout(1200)
def test_f01_to_f09_a_storm_over_two_hundred_streams(stack, model):
    """200 answers of 500 tokens; PARLEY_SEED repeats a storm as far as a machine can.

    PARLEY_STREAMS and PARLEY_STORM_SECONDS make it smaller, or worse.
    """
    count = int(os.environ.get("PARLEY_STREAMS", "200"))
    seconds = float(os.environ.get("PARLEY_STORM_SECONDS", "150"))
    seed = int(os.environ.get("PARLEY_SEED") or random.randrange(10**6))
    print(f"\nPARLEY_SEED={seed}")
    chance = random.Random(seed)
    model.default, answer = script(500, delay=0.2)
    stack.webs(2)
    stack.runners(2)
    readers = ask(stack, [f"s{n:03}" for n in range(count * 17 // 20)])
    readers += ask(stack, [f"restless{n:02}" for n in range(count // 10)], hops=5)
    readers += ask(stack, [f"stopped{n:02}" for n in range(count // 20)], stops_after=2000)
    with reading(readers, seconds=900):
        began = time.monotonic()
        while (since := time.monotonic() - began) < seconds:
            print(f"{since:5.0f} s  {hit(stack, chance)}", flush=True)
    tally = examine(stack, model, readers, answer, may_repeat_calls=True)
    reloads = sum(reader.reloads for reader in readers)
    sockets = sum(reader.sockets for reader in readers)
    print(f"{dict(tally)}, {sockets} sockets, {reloads} reloads")
    for line in sorted(set(stack.tracebacks())):
        print("logged:", line[:200])
