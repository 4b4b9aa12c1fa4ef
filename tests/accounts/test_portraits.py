"""A person's picture: drawn anew, seen by people with an account, gone with its owner."""

import io
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts import departures, takeouts
from accounts.models import Portrait, User
from accounts.portraits import MOST_MEGABYTES
from events import jobs
from tests.support.attached import picture

pytestmark = pytest.mark.django_db


def upload(user: User, data: bytes) -> str:
    """What the profile page says then."""
    client = Client()
    client.force_login(user)
    file = SimpleUploadedFile("me.png", data)
    answer = client.post(reverse("accounts:change_portrait"), {"file": file}, follow=True)
    user.refresh_from_db()
    return answer.content.decode()


def ask_for(user: User, viewer: User | None) -> tuple[int, bytes]:
    client = Client()
    if viewer:
        client.force_login(viewer)
    answer = client.get(reverse("accounts:portrait", args=[user.pk]))
    return answer.status_code, answer.content


def test_a_picture_is_drawn_square_and_seen_by_people_with_an_account(alice, bob):
    assert ask_for(alice, bob)[0] == 404
    page = upload(alice, picture("teal", (900, 300)) + b"<script>hidden</script>")
    assert reverse("accounts:portrait", args=[alice.pk]) in page
    status, data = ask_for(alice, bob)
    assert status == 200
    assert b"hidden" not in data
    with Image.open(io.BytesIO(data)) as drawn:
        assert (drawn.format, drawn.size) == ("JPEG", (256, 256))
    assert ask_for(alice, None)[0] == 302
    shown = takeouts.request_takeout(alice)
    jobs.run(str(shown.takeout.job_id))
    with zipfile.ZipFile(takeouts.find_file(alice, shown.takeout.pk)) as archive:
        assert archive.read("portrait.jpg") == data
    departures.delete_user(alice)
    assert not Portrait.objects.exists()


def test_it_is_removed_and_nobody_sees_that_of_a_disabled_account(alice, bob):
    upload(alice, picture())
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert ask_for(alice, bob)[0] == 404
    User.objects.filter(pk=alice.pk).update(is_active=True)
    client = Client()
    client.force_login(alice)
    client.post(reverse("accounts:remove_portrait"))
    alice.refresh_from_db()
    assert (alice.portrait_at, Portrait.objects.count()) == (None, 0)


@pytest.mark.parametrize(("data", "says"), [
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "This is not a picture"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged"),
    (b"\x89PNG\r\n\x1a\n" + b"\0" * (MOST_MEGABYTES * 2**20), "10 MB at most"),
], ids=["svg", "damaged", "large"])  # fmt: skip
def test_what_is_no_picture_is_refused_in_words(alice, data, says):
    assert says in upload(alice, data)
    assert alice.portrait_at is None


def put(api, data: bytes, kind: str = "image/png"):
    return Client(headers={"Authorization": f"Bearer {api.token}"}).put(
        "/api/v1/me/picture", data, content_type=kind
    )


def test_a_program_sets_shows_and_removes_it(alice, bob, api_for):
    mine, theirs = api_for(alice, "write"), api_for(bob, "read")
    place = f"/people/{alice.pk}/picture"
    assert put(mine, picture("teal", (900, 300))).status_code == 204
    shown = theirs.get(place)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(shown.content)) as drawn:
        assert drawn.size == (256, 256)
    assert ask_for(alice, bob) == (200, shown.content)
    assert mine.delete("/me/picture").status_code == 204
    assert theirs.get(place).status_code == 404
    assert mine.delete("/me/picture").status_code == 204


def test_a_program_is_told_what_is_wrong_with_a_picture(alice, api_for):
    api = api_for(alice, "write")
    for data in (b"", b"<svg/>", b"\x89PNG\r\n\x1a\n" + b"\0" * (MOST_MEGABYTES * 2**20)):
        refused = put(api, data)
        assert refused.status_code == 422, refused.content
        assert refused.json()["type"].endswith("picture-refused")
        assert refused.json()["detail"]
    assert put(api_for(alice, "read"), picture()).status_code == 403
    assert Client().put("/api/v1/me/picture", picture()).status_code == 401
    assert not Portrait.objects.exists()
