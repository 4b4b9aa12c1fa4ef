"""Where somebody is signed in, and signing it out."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.http import Http404
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import devices
from accounts.models import Device
from observability.db import run_sync
from security.models import AuditEntry
from tests.chat.stage import play, socket
from tests.support.cast import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def browser():
    """A signed-in browser that has made one request."""

    def make(user, agent=FIREFOX) -> Client:
        client = Client(headers={"User-Agent": agent})
        client.force_login(user)
        assert client.get("/settings/").status_code == 200
        return client

    return make


@pytest.mark.django_db
def test_the_list_names_browsers_and_the_current_one(browser, alice, bob):
    browser(bob)
    browser(alice, IPHONE)
    current = browser(alice)
    shown = devices.list_devices(alice, current.session.session_key)
    assert [(found.browser, found.system, found.is_current) for found in shown] == [
        ("Firefox", "Linux", True), ("Safari", "iPhone", False),
    ]  # fmt: skip
    page = current.get(reverse("accounts:sessions")).content.decode()
    assert "Firefox on Linux" in page
    assert "127.0.0.1" in page
    assert current.session.session_key not in page


@pytest.mark.django_db
def test_a_browser_is_signed_out_by_its_person_alone(browser, alice, bob):
    current, other = browser(alice), browser(alice, IPHONE)
    device = Device.objects.get(session_key=other.session.session_key)
    with pytest.raises(Http404):
        devices.sign_out(bob, device.pk)
    assert other.get("/settings/").status_code == 200
    place = reverse("accounts:end_session", args=[device.pk])
    assert "iPhone" not in current.post(place).content.decode()
    assert other.get("/settings/").status_code == 302
    assert AuditEntry.objects.filter(act="session.closed", actor_id=alice.pk).count() == 1


@pytest.mark.django_db
def test_all_others_are_signed_out_also_those_that_never_asked_for_anything(browser, alice, bob):
    stolen = Client()
    stolen.force_login(alice)
    current, others, foreign = browser(alice), browser(alice), browser(bob)
    current.post(reverse("accounts:end_sessions"))
    for client, status in ((current, 200), (others, 302), (stolen, 302), (foreign, 200)):
        assert client.get("/settings/").status_code == status


@pytest.mark.django_db
def test_a_new_password_ends_all_other_sessions(browser, alice):
    current, other = browser(alice), browser(alice)
    new = "a new and long pass phrase"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert current.post(reverse("account_change_password"), form).status_code == 302
    assert current.get("/settings/").status_code == 200
    alice.refresh_from_db()
    (shown,) = devices.list_devices(alice, current.session.session_key)
    assert shown.is_current
    assert Session.objects.count() == 1
    assert other.get("/settings/").status_code == 302


@pytest.mark.django_db
def test_what_is_over_is_swept(browser, alice):
    live, over = browser(alice), browser(alice)
    Session.objects.filter(session_key=over.session.session_key).update(
        expire_date=timezone.now() - timedelta(hours=1)
    )
    assert len(devices.list_devices(alice)) == 1
    devices.sweep()
    assert [session.session_key for session in Session.objects.all()] == [live.session.session_key]
    assert Device.objects.count() == 1


@pytest.mark.django_db
def test_the_api_lists_and_ends_them(browser, alice, bob, api_for):
    client = browser(alice)
    api = api_for(alice)
    (shown,) = api.get("/me/sessions").json()
    assert (shown["browser"], shown["is_current"]) == ("Firefox", False)
    assert api_for(bob).delete(f"/me/sessions/{shown['id']}").status_code == 404
    assert api_for(alice, "read").get("/me/sessions").status_code == 403
    assert api.delete("/me/sessions").status_code == 204
    assert client.get("/settings/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_open_sockets_of_a_signed_out_browser_are_closed(alice):
    async def scenario():
        async with socket(alice) as tab:
            await run_sync(devices.sign_out_everywhere, alice)
            output = await tab.communicator.receive_output(timeout=10)
            while output["type"] != "websocket.close":
                output = await tab.communicator.receive_output(timeout=10)

    play(scenario)
