"""A right taken back ends what is open, on a real web process: sockets, event streams, requests.

CVE-2026-44553 is this with a role that was read once, at the handshake.
"""

import contextlib
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from websockets.exceptions import ConnectionClosed

from accounts import services as accounts
from accounts import tokens
from accounts.models import Membership, User
from chat import services as chat
from chat.models import Turn
from tests.support.cast import PASSWORD
from tests.support.processes import Processes, Tab, is_kind, sign_in

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(120),
    pytest.mark.django_db(transaction=True),
]
# Promised are two seconds; a test that waits a little longer does not fail on a busy machine.
PATIENCE = 10.0


@pytest.fixture
def web_port() -> Iterator[int]:
    processes = Processes()
    yield processes.serve()[1]
    processes.end()


@dataclass
class Follower:
    """A person who follows Alice's turn in a tab and, with a token, by an event stream."""

    user: User
    session: str
    token: tokens.ApiToken
    bearer: str


def follower(name: str) -> Follower:
    user = User.objects.create_user(f"{name}@example.org", PASSWORD, name=name)
    return Follower(user, sign_in(user), *tokens.issue(user, name))


def log_out(port: int, person: Follower) -> None:
    Client(headers={"cookie": f"session={person.session}"}).post("/accounts/logout/")


def get(port: int, path: str, bearer: str):
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1{path}", headers={"Authorization": f"Bearer {bearer}"}
    )
    return urllib.request.urlopen(request, timeout=PATIENCE)


def status(port: int, path: str, bearer: str) -> int:
    try:
        with get(port, path, bearer) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def ended(act: Callable[[], object]) -> bool:
    """Whether a socket was closed or told to reload before our patience was over."""
    try:
        act()
    except ConnectionClosed:
        return True
    except TimeoutError:
        return False
    return True


def test_s03_s09_whatever_is_taken_away_ends_within_two_seconds(web_port, alice, record_property):
    """Unshared, left the team, demoted below reading, disabled, signed out, token revoked."""
    turn = chat.start_turn(alice, None, "Who is it?")  # no runner: it stays open
    talk = turn.conversation
    team = accounts.create_team(alice, "Board")
    names = ("unshared", "left", "disabled", "logged-out", "revoked", "kept")
    cast = {name: follower(name) for name in names}
    for name, person in cast.items():
        if name == "left":
            Membership.objects.create(team=team, user=person.user)
        else:
            accounts.share(talk, person.user, "editor", by=alice)
    accounts.share(talk, team, "reader", by=alice)

    with contextlib.ExitStack() as opened:
        tabs, streams = {}, {}
        for name, person in cast.items():
            tabs[name] = opened.enter_context(Tab(web_port, person.session))
            tabs[name].send(type="subscribe", stream=str(turn.pk), after=0)
            tabs[name].send(type="ping")
            tabs[name].until(is_kind("pong"))
            streams[name] = opened.enter_context(
                get(web_port, f"/turns/{turn.pk}/events", person.bearer)
            )
            assert streams[name].readline().startswith(b"retry")

        accounts.unshare(talk, cast["unshared"].user, by=alice)
        Membership.objects.filter(user=cast["left"].user).delete()
        accounts.disable(cast["disabled"].user)
        log_out(web_port, cast["logged-out"])
        tokens.revoke(cast["revoked"].token)
        taken = time.monotonic()

        for name in ("unshared", "left"):
            tabs[name].until(is_kind("reload"), PATIENCE)
        for name in ("disabled", "logged-out"):
            assert ended(lambda tab=tabs[name]: tab.until(lambda _frame: False, PATIENCE)), name
            assert tabs[name].socket.close_code == 4401
        for name in ("unshared", "left", "disabled", "revoked"):
            assert b"event: reload" in streams[name].read(), name
        record_property("seconds", round(time.monotonic() - taken, 2))
        print(f"everything taken back was closed after {time.monotonic() - taken:.2f} s")

        # And from now on: the next frame, the next request, the next handshake.
        for name in ("unshared", "left"):
            tabs[name].send(type="subscribe", stream=str(turn.pk), after=0)
            assert tabs[name].until(is_kind("refused"))["problem"] == "not-found"
        path = f"/turns/{turn.pk}/events"
        expected = {"unshared": 404, "left": 404, "disabled": 401, "revoked": 401}
        assert {name: status(web_port, path, cast[name].bearer) for name in expected} == expected
        for name in ("disabled", "logged-out"):
            with pytest.raises(Exception, match="403"):
                opened.enter_context(Tab(web_port, cast[name].session))

        # A lowered role may look on and change nothing; who kept theirs was not disturbed.
        kept = tabs["kept"]
        accounts.share(talk, cast["kept"].user, "reader", by=alice)
        for frame in (
            {"type": "turn.stop", "turn_id": str(turn.pk)},
            {"type": "turn.start", "conversation": str(talk.pk), "text": "And?"},
        ):
            kept.send(**frame)
            assert kept.until(is_kind("refused", "accepted"))["type"] == "refused"
        kept.send(type="subscribe", stream=str(turn.pk), after=0)
        kept.send(type="ping")
        kept.until(is_kind("pong"))
        assert {frame["type"] for frame in kept.frames} == {"pong", "refused"}
    assert Turn.objects.get() == turn
    assert turn.stop_requested_at is None
