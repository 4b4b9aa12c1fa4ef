"""Whether a source is in step, as its page, its collection and programs say it."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Grant, User
from accounts.services import share
from knowledge.models import Collection, Source
from knowledge.sources import services
from tests.knowledge.sources.conftest import Add, visit, work

pytestmark = pytest.mark.django_db

TROUBLE = "1 source not in step"


class Told:
    """What is said of the one source of a collection."""

    def __init__(self, api: Client, client: Client, source: Source) -> None:
        self._api, self._client, self._source = api, client, source

    def standing(self) -> str:
        (told,) = self._api.get(f"/collections/{self._source.collection_id}/sources").json()
        assert told == self._api.get(f"/sources/{self._source.pk}").json()
        return str(told["standing"])

    def troubled(self) -> int:
        one = self._api.get(f"/collections/{self._source.collection_id}").json()
        (listed,) = self._api.get("/collections").json()["items"]
        assert listed == one
        return int(one["troubled_source_count"])

    def page(self, path: str = "") -> str:
        return self._client.get(f"/knowledge/{path}").content.decode()

    def list(self) -> str:
        return self.page(f"{self._source.collection_id}/sources/")


@pytest.fixture
def source(root: Path, add: Add) -> Source:
    (root / "in").mkdir()
    (root / "in/a.md").write_text("Tea.")
    return add("folder", path=str(root / "in"))


@pytest.fixture
def told(source: Source, admin: User, api_for, client: Client) -> Told:
    client.force_login(admin)
    return Told(api_for(admin), client, source)


def test_previews_and_cancelled_visits_are_no_visits(source: Source, told: Told):
    assert told.standing() == "new"
    visit(source, is_preview=True)
    assert (told.standing(), "not synced yet" in told.list()) == ("new", True)
    visit(source)
    assert told.standing() == "in_step"
    assert "in step</span>" in told.list()
    assert "last sync now" in told.list()
    visit(source, is_preview=True)
    assert told.standing() == "in_step"
    waiting = services.start_sync(source, None)
    assert (told.standing(), "syncing" in told.list()) == ("syncing", True)
    services.cancel(source)
    assert told.standing() == "cancelled"
    assert "sync cancelled" in told.list()
    assert "in step</span>" not in told.list()
    assert work(waiting).status == "cancelled"
    visit(source)
    services.pause(source)
    assert (told.standing(), "paused" in told.list()) == ("paused", True)


def test_trouble_is_told_where_the_collection_is(
    source: Source, told: Told, root: Path, handbook: Collection, bob: User
):
    share(handbook, bob, Grant.Role.READER, by=handbook.owner)
    visit(source)
    assert TROUBLE not in told.page()
    (root / "in").rename(root / "elsewhere")
    visit(source)
    assert (told.standing(), "sync failed" in told.list()) == ("failed", True)
    assert TROUBLE in told.page()
    assert told.troubled() == 1
    page = told.page(f"{handbook.pk}/")
    assert f'href="/knowledge/sources/{source.pk}/"' in page
    assert "PARLEY_SOURCE_ROOTS" in page
    reader = Client()
    reader.force_login(bob)
    for path in ("", f"{handbook.pk}/"):
        seen = reader.get(f"/knowledge/{path}").content.decode()
        assert "Handbook" in seen
        assert TROUBLE not in seen
        assert str(source.pk) not in seen
    again = services.start_sync(source, None)
    assert TROUBLE in told.page()  # until it is known to be well
    (root / "elsewhere").rename(root / "in")
    assert work(again).status == "succeeded"
    assert TROUBLE not in told.page()
    assert told.troubled() == 0
    assert "Not in step" not in told.page(f"{handbook.pk}/")


def test_a_source_whose_time_is_over_is_late(source: Source, told: Told):
    visit(source)
    Source.objects.filter(pk=source.pk).update(next_run_at=timezone.now() - timedelta(hours=2))
    assert (told.standing(), "overdue" in told.list()) == ("late", True)
    assert TROUBLE in told.page()
    services.pause(source)
    assert told.standing() == "paused"
    assert TROUBLE not in told.page()


def test_what_is_pushed_has_no_visits(add: Add, admin: User, api_for):
    pushed = add("api")
    assert api_for(admin).get(f"/sources/{pushed.pk}").json()["standing"] == "pushed"
