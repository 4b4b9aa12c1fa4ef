"""Budgets of storage bind uploads, of documents and of attachments, also when many come at once."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.db.models import Sum
from django.test import Client

from accounts import services as people
from accounts import tokens
from knowledge import services, shelves
from knowledge.errors import QuotaReached
from knowledge.models import Collection, Document

pytestmark = pytest.mark.django_db(transaction=True)
SIZE = 1000


def file_of(n: int, size: int = SIZE) -> BytesIO:
    return BytesIO(f"{n:08}".encode() + b"x" * (size - 8))


def upload(user, shelf, n, size=SIZE):
    return services.add_document(user, shelf, file_of(n, size), f"{n}.txt")[0]


def test_s38_twenty_uploads_at_once_never_exceed_the_quota(budget, alice):
    """Security 38: a user at their quota who uploads in 20 parallel requests."""
    budget(scope="user", unit="storage", period="ever", limit=5 * SIZE + 10)
    shelf = Collection.objects.create(owner=alice, name="Shelf")

    def one(n: int) -> bool:
        try:
            upload(alice, shelf, n)
        except QuotaReached:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(one, range(20))) == 5
    assert Document.objects.aggregate(size=Sum("size"))["size"] == 5 * SIZE


def test_what_is_deleted_is_free_again(budget, alice):
    budget(scope="user", unit="storage", period="ever", limit=SIZE)
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    document = upload(alice, shelf, 1)
    with pytest.raises(QuotaReached) as refused:
        upload(alice, shelf, 2)
    assert "0.0 MB left" in str(refused.value)
    services.delete_document(document)
    upload(alice, shelf, 3)


def test_attachments_count_and_so_do_the_files_of_team_mates(budget, alice, bob):
    team = people.create_team(alice, "Editors")
    team.memberships.create(user=bob)
    budget(scope="team", team=team, unit="storage", period="ever", limit=2 * SIZE)
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    upload(alice, shelf, 1)
    shelves.attach(bob, file_of(2), "2.txt")
    with pytest.raises(QuotaReached, match="Editors"):
        upload(bob, shelf, 3)


def test_the_api_says_which_budget_is_full_with_a_413(budget, alice):
    budget(unit="storage", period="ever", limit=10, name="Disk")
    client = Client(headers={"authorization": f"Bearer {tokens.issue(alice, 't')[1]}"})
    file = SimpleUploadedFile("note.txt", b"x" * 100, content_type="text/plain")
    answer = client.post("/api/v1/attachments", {"file": file})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:parley:problem:quota-reached")
    assert "“Disk” of this installation" in answer.json()["detail"]
