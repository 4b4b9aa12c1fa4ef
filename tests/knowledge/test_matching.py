"""One thing done to all documents that match a filter: by a job, in batches, and taken back."""

import pytest
from django.test import Client

from accounts import services as accounts
from events import jobs
from events.models import Event, Job
from knowledge import retrieval, services
from knowledge.matching import jobs as work
from knowledge.matching import orders, walking
from knowledge.models import Collection, Document
from security.models import AuditEntry
from tests.knowledge.conftest import AddText, run_job
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db(transaction=True)
NOWHERE = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    monkeypatch.setattr(walking, "STRETCH", 3)


@pytest.fixture
def seven(alice, handbook: Collection) -> list[Document]:
    """As they are once they are indexed: four rules and three notes."""
    made = []
    for n in range(7):
        name = f"{'rule' if n % 2 == 0 else 'note'}-{n}.md"
        made.append(services.add_document(alice, handbook, as_stream(f"Text {n}."), name)[0])
    Document.objects.filter(collection=handbook).update(status="ready", job_id=None)
    Job.objects.all().update(status="succeeded")
    return made


def place(collection: Collection, more: str = "") -> str:
    return f"/collections/{collection.pk}/documents/matching{more}"


def change(client, collection: Collection, **body: object) -> Job:
    answer = client.post(place(collection), body)
    assert answer.status_code == 202, answer.json()
    return go_on(Job.objects.get(pk=answer.json()["job_id"]))


def go_on(job: Job) -> Job:
    jobs.run(str(job.pk))
    job.refresh_from_db()
    return job


def names(collection: Collection) -> list[str]:
    return sorted(collection.documents.values_list("file_name", flat=True))


def test_all_that_match_are_deleted_and_come_back(api_for, alice, handbook, seven) -> None:
    api = api_for(alice)
    assert api.get(place(handbook)).json() == {"count": 7}
    assert api.get(place(handbook, "?q=rule")).json() == {"count": 4}
    assert api.get(place(handbook, "?q=%00")).status_code == 422
    assert api.get(place(handbook, "?kind=%00")).status_code == 422
    job = change(api, handbook, action="delete", q="rule")
    assert (job.status, job.owner_id, job.subject_id) == ("succeeded", alice.pk, None)
    assert names(handbook) == ["note-1.md", "note-3.md", "note-5.md"]
    events = list(Event.objects.filter(stream_id=job.pk, kind="documents_changed").order_by("seq"))
    assert [event.payload["changed"] for event in events] == [2, 3, 4]
    told = api.get(f"/jobs/{job.pk}").json()
    assert told["status"] == "succeeded"
    undone = api.post(place(handbook, f"/{job.pk}/undo"), {})
    assert go_on(Job.objects.get(pk=undone.json()["job_id"])).status == "succeeded"
    assert len(names(handbook)) == 7
    acts = AuditEntry.objects.filter(actor_id=alice.pk).values_list("act", flat=True)
    assert len([act for act in acts if act == "document.deleted"]) == 4


def test_each_list_and_each_action(api_for, alice, handbook, seven) -> None:
    api = api_for(alice)
    archive = services.create_collection(alice, "Archive")
    Document.objects.filter(file_name="rule-0.md").update(status="failed", reason="Torn.")
    job = change(api, handbook, action="reindex", list="failed")
    assert orders.standing_of(job).changed == 1
    assert Document.objects.get(file_name="rule-0.md").status == "queued"
    job = change(api, handbook, action="exclude", q="note")
    assert orders.standing_of(job).changed == 3
    assert Document.objects.exclude(excluded_at=None).count() == 3
    change(api, handbook, action="include", list="excluded")
    assert not Document.objects.exclude(excluded_at=None).exists()
    Document.objects.filter(collection=handbook).update(status="ready")
    moved = change(api, handbook, action="move", target=str(archive.pk), status="ready")
    assert (len(names(handbook)), len(names(archive))) == (0, 7)
    Document.objects.update(status="ready")
    undone = api.post(place(handbook, f"/{moved.pk}/undo"), {}).json()["job_id"]
    go_on(Job.objects.get(pk=undone))
    assert (len(names(handbook)), len(names(archive))) == (7, 0)


def test_never_cited_ones_are_not_counted_and_copies_are_taken_together(
    api_for, alice, handbook, add_text: AddText, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = " ".join(f"Rule {n} says what to do on day {n * 7}." for n in range(60))
    for name, text in (("a.md", words), ("b.md", words + "\n\n"), ("c.md", "Something else.")):
        add_text(handbook, text, name)
    api = api_for(alice)
    assert api.get(place(handbook, "?list=uncited")).json() == {"count": None}
    monkeypatch.setattr(work, "BATCH", 1)
    change(api, handbook, action="exclude", list="duplicates")
    shelved = Document.objects.exclude(excluded_at=None).values_list("file_name", flat=True)
    assert sorted(shelved) == ["a.md", "b.md"]
    change(api, handbook, action="delete", list="uncited")  # of those that are searched
    assert names(handbook) == ["a.md", "b.md"]


def test_copies_are_copies_also_for_the_worker_that_goes_on(
    api_for, alice, handbook, add_text: AddText, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of them may be gone by then."""
    words = " ".join(f"Rule {n} says what to do on day {n * 7}." for n in range(60))
    for name, text in (("a.md", words), ("b.md", words + "\n\n"), ("c.md", "Something else.")):
        add_text(handbook, text, name)
    monkeypatch.setattr(work, "BATCH", 1)
    monkeypatch.setattr(work, "SLICE_SECONDS", 0.0)
    body = {"action": "delete", "list": "duplicates"}
    job = Job.objects.get(pk=api_for(alice).post(place(handbook), body).json()["job_id"])
    services.add_document(alice, handbook, as_stream("Later."), "later.md")  # which waits
    turns = 0
    while go_on(job).status in ("queued", "running"):
        turns += 1
        assert turns < 9
    assert turns > 1
    assert names(handbook) == ["c.md", "later.md"]
    assert orders.standing_of(job).changed == 2


def test_whoever_loses_the_right_changes_nothing_more(
    api_for, alice, bob, handbook, seven, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts.share(handbook, bob, "editor", by=alice)
    real, calls = work.act, []

    def act_and_lose(*arguments):
        calls.append(1)
        done = real(*arguments)
        if len(calls) == 1:
            accounts.unshare(handbook, bob, by=alice)
        return done

    monkeypatch.setattr(work, "act", act_and_lose)
    job = change(api_for(bob), handbook, action="delete")
    assert (job.status, job.reason) == ("failed", work.NO_MORE)
    assert len(names(handbook)) == 5
    assert api_for(bob).post(place(handbook, f"/{job.pk}/undo"), {}).status_code == 404


def test_an_order_whose_right_was_lost_before_it_began_has_failed(
    api_for, alice, bob, handbook, seven
) -> None:
    accounts.share(handbook, bob, "editor", by=alice)
    begun = api_for(bob).post(place(handbook), {"action": "delete", "q": "rule"}).json()
    accounts.unshare(handbook, bob, by=alice)
    job = go_on(Job.objects.get(pk=begun["job_id"]))
    assert (job.status, job.reason, len(names(handbook))) == ("failed", work.NO_MORE, 7)
    gone = services.create_collection(alice, "Gone")
    begun = api_for(alice).post(place(gone), {"action": "delete"}).json()
    services.delete_collection(gone)
    assert go_on(Job.objects.get(pk=begun["job_id"])).status == "failed"


def test_it_goes_on_where_it_was_stopped_and_ends_when_it_is_told_to(
    api_for, alice, handbook, seven, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker does nothing twice; what came after the order is none of it."""
    monkeypatch.setattr(work, "SLICE_SECONDS", 0.0)
    api = api_for(alice)
    job = Job.objects.get(pk=api.post(place(handbook), {"action": "exclude"}).json()["job_id"])
    services.add_document(alice, handbook, as_stream("Later."), "later.md")
    turns = 0
    while go_on(job).status in ("queued", "running"):
        turns += 1
        assert turns < 9
    assert turns > 1
    assert job.status == "succeeded"
    assert orders.standing_of(job).changed == 7
    assert Document.objects.get(excluded_at=None).file_name == "later.md"

    job = Job.objects.get(pk=api.post(place(handbook), {"action": "include"}).json()["job_id"])
    go_on(job)
    assert api.post(f"/jobs/{job.pk}/cancel", {}).status_code == 202
    job.refresh_from_db()
    changed = orders.standing_of(job).changed
    assert (job.status, 0 < changed < 7) == ("cancelled", True)
    Document.objects.update(status="ready")  # what is in work stays in search
    undone = Job.objects.get(pk=api.post(place(handbook, f"/{job.pk}/undo"), {}).json()["job_id"])
    while go_on(undone).status in ("queued", "running"):
        pass
    assert Document.objects.filter(collection=handbook, excluded_at=None).count() == 1


def test_what_makes_no_sense_is_refused(api_for, alice, bob, charlie, handbook, seven) -> None:
    api = api_for(alice)
    assert api.post(place(handbook), {"action": "restore"}).status_code == 422
    assert api.post(place(handbook), {"action": "delete", "status": "odd"}).status_code == 422
    assert api.post(place(handbook), {"action": "delete", "nonsense": 1}).status_code == 422
    assert api.post(place(handbook), {"action": "move"}).status_code == 404
    theirs = services.create_collection(bob, "Bob's")
    for target in (str(theirs.pk), NOWHERE):
        answer = api.post(place(handbook), {"action": "move", "target": target})
        assert answer.status_code == 404
    answer = api.post(place(handbook), {"action": "delete", "source": NOWHERE})
    assert answer.status_code == 404
    accounts.share(handbook, bob, "reader", by=alice)
    assert api_for(bob).post(place(handbook), {"action": "delete"}).status_code == 403
    assert api_for(bob).get(place(handbook)).status_code == 403
    assert api_for(charlie).post(place(handbook), {"action": "delete"}).status_code == 404
    assert api.post(place(handbook, f"/{NOWHERE}/undo"), {}).status_code == 404
    assert len(names(handbook)) == 7


def test_the_page_begins_shows_stops_and_offers_to_take_back(alice, bob, handbook, seven) -> None:
    client = Client()
    client.force_login(alice)
    url = f"/knowledge/{handbook.pk}/matching"
    assert client.get(url, {"q": "rule"}).json() == {"count": 4}
    assert client.get(url, {"status": "odd"}).status_code == 400
    for wrong in ({}, {"action": "delete", "status": "odd"}, {"action": "burn"}):
        assert client.post(url, wrong).status_code == 400
    begun = client.post(url, {"action": "delete", "q": "rule"})
    job = Job.objects.get(task=orders.CHANGE)
    one = f"{url}/{job.pk}"
    assert one in begun.content.decode()
    assert "Deleting documents" in begun.content.decode()
    assert one in client.get(f"/knowledge/{handbook.pk}/").content.decode()
    go_on(job)
    ended = client.get(one)
    assert "4 documents are deleted." in ended["HX-Trigger"]
    assert "undo" in ended["HX-Trigger"]
    assert "every 1s" not in ended.content.decode()
    client.post(one, {"act": "undo"})
    undoing = Job.objects.get(task=orders.UNDO)
    go_on(undoing)
    assert "4 documents are back." in client.get(f"{url}/{undoing.pk}")["HX-Trigger"]
    client.post(url, {"action": "exclude"})
    waiting = Job.objects.get(task=orders.CHANGE, status="queued")
    stopped = client.post(f"{url}/{waiting.pk}", {"act": "stop"})
    assert "every 1s" not in stopped.content.decode()
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    accounts.share(handbook, bob, "editor", by=alice)
    client.force_login(bob)
    assert client.get(one).status_code == 404  # an editor too, but it is Alice's


def test_what_was_deleted_is_found_again(api_for, alice, handbook, add_text: AddText) -> None:
    document = add_text(handbook, "# Leave\n\nTwenty-five days of leave.", "leave.md")
    job = change(api_for(alice), handbook, action="delete")
    assert retrieval.search(alice, "days of leave").passages == ()
    api_for(alice).post(place(handbook, f"/{job.pk}/undo"), {})
    go_on(Job.objects.get(task=orders.UNDO))
    document.refresh_from_db()
    run_job(document)
    assert retrieval.search(alice, "days of leave").passages
