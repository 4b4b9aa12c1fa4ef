"""Every address × every kind of visitor, one fixed status each; a route without a row fails."""

import json
import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.core.signals import request_finished
from django.db import close_old_connections, transaction
from django.http import HttpResponse

from accounts.services import unshare
from chat.models import Conversation
from config.asgi import application
from knowledge.models import Collection
from tests.permissions.answers import shape
from tests.permissions.routes import list_routes
from tests.permissions.rows import ROWS, Row, rows_of
from tests.support.world import CANARY, CASTS, OUTSIDERS, RIVAL_CANARY, World, random_ids

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]
ROUTES = sorted(list_routes())
PARTS = 4  # so that none takes minutes where the machine is busy
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


def test_every_route_has_a_row():
    assert [route for route in ROUTES if rows_of(route) is None] == []


def test_every_row_has_a_route():
    assert sorted(set(ROWS) - set(ROUTES)) == []


@pytest.mark.parametrize("part", range(PARTS))
def test_every_visitor_gets_what_the_table_says(world, part):
    wrong = []
    for route in ROUTES[part::PARTS]:
        for row in rows_of(route) or []:
            for cast, expected in zip(CASTS, row.statuses, strict=True):
                status, content = visit(world, cast, route, row)
                place = f"{row.method if ' ' not in route else ''} {route}".strip()
                if status != expected:
                    wrong.append(f"{place} as {cast}: {status}, not {expected}")
                if cast in OUTSIDERS and CANARY.encode() in content:
                    wrong.append(f"{place} tells {cast} the canary")
    assert not wrong, "\n".join(wrong)


def visit(world: World, cast: str, route: str, row: Row) -> tuple[int, bytes]:
    """The status and body that this visitor gets; what the request changed is undone."""
    if route.startswith("accounts/"):
        cache.clear()  # how often somebody knocked before does not count here
    with transaction.atomic():
        if route.startswith("WS "):
            return handshake(world, cast, "/" + route[3:]), b""
        response = send(world, cast, route, row, world.ids)
        content = b"" if response.streaming else response.content
        if response.streaming:
            hang_up(response)
        transaction.set_rollback(True)
    return response.status_code, content


def send(world: World, cast: str, route: str, row: Row, ids: dict[str, Any]) -> HttpResponse:
    method, _, pattern = route.rpartition(" ")
    is_api = pattern.startswith(("api/", "v1/", "mcp"))
    client = world.program(cast) if is_api else world.browser(cast)
    path = "/" + PARAMETER.sub(lambda found: str(ids[found[1] or found[2]]), pattern)
    path = path.replace("^", "").replace("$", "")
    if row.query:
        path += "?" + row.query.format(**ids)
    method = method or row.method
    if row.body is not None:
        body = {name: _filled(value, ids) for name, value in row.body.items()}
        return client.generic(method, path, json.dumps(body), "application/json")
    form = {name: _filled(value, ids) for name, value in row.form.items()}
    return client.post(path, form) if method == "POST" else client.generic(method, path)


def hang_up(response: HttpResponse) -> None:
    """As a client that leaves, but the end of the request must not close the test's connection."""
    request_finished.disconnect(close_old_connections)
    response.close()
    request_finished.connect(close_old_connections)


def _filled(value: Any, ids: dict[str, Any]) -> Any:
    if hasattr(value, "seek"):
        value.seek(0)
        return value
    if isinstance(value, list):
        return [_filled(one, ids) for one in value]
    return value.format(**ids) if isinstance(value, str) else value


def handshake(world: World, cast: str, path: str) -> int:
    """101 when the socket opens with this visitor's cookies, 403 when it is refused."""
    cookies = world.browser(cast).cookies
    header = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
    headers = [
        (b"host", b"localhost"), (b"origin", b"http://localhost"), (b"cookie", header.encode()),
    ]  # fmt: skip

    async def scenario() -> bool:
        socket = WebsocketCommunicator(application, path, headers)
        is_open, _ = await socket.connect(timeout=10)
        await socket.disconnect()
        return bool(is_open)

    return 101 if async_to_sync(scenario)() else 403


@pytest.mark.parametrize("cast", sorted(OUTSIDERS))
def test_s01_anothers_object_and_a_random_id_read_the_same(world, cast):
    """Status, headers and body, on pages and in the API; only the request's own id differs."""
    differing, compared = [], 0
    for route in ROUTES:
        if route.startswith(("WS ", "admin/", "accounts/")) or "<uuid" not in route:
            continue
        for row in rows_of(route) or []:
            theirs = send(world, cast, route, row, world.ids)
            nobodys = send(world, cast, route, row, world.ids | random_ids())
            ids = zip(world.ids.values(), (world.ids | random_ids()).values(), strict=True)
            said = repr(shape(theirs))
            for mine, nothing in ids:
                said = said.replace(str(mine), str(nothing))  # `next` of the way to the door
            compared += 1
            if theirs.status_code not in {302, 401, 404} or said != repr(shape(nobodys)):
                differing.append(f"{route}: {said[:300]} {shape(nobodys)!r:.300}")
    assert compared > 30
    assert not differing, "\n".join(differing)


def test_s02_lists_searches_and_counts_know_nothing_of_another_team(world):
    """In both directions: neither team hears the other's words, nor counts its things."""
    for cast, foreign, own in (
        ("rival", CANARY, RIVAL_CANARY), ("owner", RIVAL_CANARY, CANARY),
    ):  # fmt: skip
        heard = 0
        for route in ROUTES:
            for row in ROWS.get(route, []):
                if not is_read(route, row):
                    continue
                response = send(world, cast, route, row, own_ids(world, cast))
                content = b"" if response.streaming else response.content
                hang_up(response)
                assert foreign.encode() not in content, (cast, route)
                heard += own.encode() in content
        assert heard > 12, cast
        program = world.program(cast)
        for place, count in (("collections", 1), ("documents", 1), ("conversations", 1)):
            found = program.get(f"/api/v1/{place}").json()
            assert (len(found["items"]), found["next"]) == (count, None), (cast, place)
        assert program.get("/api/v1/collections").json()["items"][0]["document_count"] == 1
        found = program.post("/api/v1/search", {"query": foreign}, "application/json").json()
        documents = {passage["document_id"] for passage in found["passages"]}
        assert documents <= {str(own_ids(world, cast)["document_id"])}


def test_s02_a_shared_conversation_counts_no_hidden_collection(world):
    """Nor does it give their ids to whoever may read the conversation alone."""
    shelf = Collection.objects.get(pk=world.ids["collection_id"])
    talk = Conversation.objects.get(pk=world.ids["conversation_id"])
    talk.collections.set([shelf])
    unshare(shelf, world.people["reader"], by=world.people["owner"])
    for cast, shown in (("owner", [str(shelf.pk)]), ("editor", [str(shelf.pk)]), ("reader", [])):
        program = world.program(cast)
        one = program.get(f"/api/v1/conversations/{talk.pk}").json()
        (listed,) = program.get("/api/v1/conversations").json()["items"]
        assert one["collections"] == listed["collections"] == shown, cast


def is_read(route: str, row: Row) -> bool:
    method = route.split(" ", maxsplit=1)[0] if " " in route else row.method
    return method == "GET"


def own_ids(world: World, cast: str) -> dict[str, Any]:
    return world.ids | world.rival_ids if cast == "rival" else world.ids


def test_the_canary_sings_for_its_owner(world):
    """So that its silence elsewhere means something."""
    owner = world.program("owner")
    ids = world.ids
    for path in (
        f"documents/{ids['document_id']}/chunks",
        f"documents/{ids['document_id']}/passage?start=0&end=80",
        f"conversations/{ids['conversation_id']}/messages",
        f"turns/{ids['turn_id']}",
        "conversations",
    ):
        assert CANARY in owner.get(f"/api/v1/{path}").content.decode(), path
    for cast, hears in {"owner": True, "mate": True, "stranger": False}.items():
        found = world.program(cast).post(
            "/api/v1/search", {"query": "合并"}, content_type="application/json"
        )
        assert (CANARY in found.content.decode()) is hears, cast
    file = owner.get(f"/api/v1/documents/{ids['document_id']}/file")
    assert CANARY.encode() in b"".join(file)
