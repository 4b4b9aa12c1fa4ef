"""Whoever can write to Redis cannot run code here: s31."""

import time
import zlib
from pathlib import Path

import django_rq
import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from embedded import worker
from events.doorbell import BELLS, RUNNERS
from tests.embedded.test_worker import _nothing_done, done, note
from tests.support.hostile_files import pickle_bomb
from tests.support.processes import Processes

__all__ = ["_nothing_done"]
pytestmark = pytest.mark.django_db(transaction=True)
NOTE, FAIL, CALLED_BACK = (f"{note.__module__}.{name}" for name in ("note", "fail", "called_back"))


@pytest.fixture
def bomb(tmp_path: Path):
    """A pickle that makes a file when it is read; a test ends with a look whether there is one."""
    made = tmp_path / "made"
    yield pickle_bomb(str(made))
    assert not made.exists()


def test_the_bomb_works(tmp_path: Path):
    import pickle  # noqa: PLC0415 - the control: what would happen

    pickle.loads(pickle_bomb(str(tmp_path / "made"))).close()
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("field", ["data", "meta"])
@pytest.mark.parametrize("pack", [bytes, zlib.compress])
def test_s31_a_bomb_in_a_job(bomb: bytes, field: str, pack):
    queue = django_rq.get_queue("default")
    job = queue.enqueue(NOTE, "planted")
    queue.connection.hset(job.key, field, pack(bomb))
    queue.enqueue(NOTE, "after")
    worker.work("default", burst=True)
    assert done[-1] == "after"


@pytest.mark.parametrize(
    "field",
    ["data", "status", "origin", "description", "worker_name", "created_at", "enqueued_at",
     "started_at", "last_heartbeat", "timeout", "result_ttl", "failure_ttl", "dependency_ids",
     "retries_left", "exc_info", "ttl", b"\xff"],
)  # fmt: skip
def test_s31_a_job_that_cannot_be_read_is_dropped(field: str | bytes):
    """The worker goes on with the next, and its housekeeping does not stumble over it either."""
    queue = django_rq.get_queue("default")
    job = queue.enqueue(NOTE, "planted")
    queue.connection.hset(job.key, field, b"\xff\xfe")
    queue.connection.zadd(queue.started_job_registry.key, {f"{job.id}:1": 1})
    queue.connection.lpush(queue.intermediate_queue.key, job.id)
    queue.enqueue(NOTE, "after")
    worker.work("default", burst=True)
    assert done[-1] == "after"
    assert not queue.connection.zcard(queue.started_job_registry.key)


def test_s31_a_job_whose_name_cannot_be_read_is_met_once():
    queue = django_rq.get_queue("default")
    queue.connection.lpush(queue.key, b"\xff\xfe")
    worker.work("default", burst=True)  # rq gives up here …
    queue.enqueue(NOTE, "after")
    worker.work("default", burst=True)  # … and `work` without `burst` begins anew
    assert done == ["after"]


@pytest.mark.parametrize("name", ["os.mkdir", "builtins.eval", "subprocess.call"])
def test_s31_a_job_calls_nothing_but_what_is_ours(tmp_path: Path, name: str):
    """JSON is no pickle, but rq would import and call whatever function it names."""
    queue = django_rq.get_queue("default")
    made = tmp_path / "made"
    argument = {"builtins.eval": f"__import__('os').mkdir({str(made)!r})"}.get(name, str(made))
    job = queue.enqueue(name, ["mkdir", argument] if name == "subprocess.call" else argument)
    queue.enqueue(NOTE, "after")
    worker.work("default", burst=True)
    assert done == ["after"]
    assert not made.exists()
    assert not queue.connection.exists(job.key)


@pytest.mark.parametrize("moment", ["success", "failure", "stopped"])
def test_s31_a_job_calls_nothing_back(moment: str):
    queue = django_rq.get_queue("default")
    job = queue.enqueue(NOTE, "called") if moment == "success" else queue.enqueue(FAIL)
    queue.connection.hset(job.key, f"{moment}_callback_name", CALLED_BACK)
    queue.enqueue(NOTE, "after")
    worker.work("default", burst=True)
    assert done[-1] == "after"
    assert "called back" not in done


def test_s31_a_bomb_in_the_cache(bomb: bytes):
    cache.set("limit", [1.5, "a"], 60)
    assert cache.get("limit") == [1.5, "a"]
    redis = cache._cache.get_client()
    assert redis.get(cache.make_key("limit")) == b'[1.5, "a"]'
    redis.set(cache.make_key("limit"), bomb)
    assert cache.get("limit") is None
    assert cache.get_many(["limit"]) in ({}, {"limit": None})
    cache.set("count", 1, 60)
    assert (cache.incr("count"), cache.get("count")) == (2, 2)


def test_s31_a_bomb_in_place_of_a_session(bomb: bytes, client: Client, alice: User):
    client.force_login(alice)
    redis = cache._cache.get_client()
    key = client.session.session_key
    for name in (key, f"session:{key}", f"django.contrib.sessions.cache{key}"):
        redis.set(cache.make_key(name), bomb)
        redis.set(name, bomb)
    assert client.get("/settings/", follow=True).status_code == 200


@pytest.mark.processes
def test_s31_a_bomb_as_a_message(bomb: bytes):
    redis = django_rq.get_queue("default").connection
    processes = Processes()
    try:
        runner = processes.start("runner")
        await_listeners(redis, runner)
        for channel in (RUNNERS, BELLS):
            redis.publish(channel, bomb)
        for message in (b"\xff", b"[", b"null", b"7", b'{"claim": {"a": []}}', b'{"stop": "x"}'):
            redis.publish(RUNNERS, message)
        redis.publish(RUNNERS, bomb)
        await_listeners(redis, runner)
    finally:
        processes.end()


def await_listeners(redis, runner) -> None:
    deadline = time.monotonic() + 90
    while dict(redis.pubsub_numsub(RUNNERS)).get(RUNNERS.encode(), 0) == 0:
        assert runner.poll() is None
        assert time.monotonic() < deadline, "the runner does not listen"
        time.sleep(0.1)
