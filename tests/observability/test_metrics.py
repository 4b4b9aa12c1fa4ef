import pytest

from accounts.models import User

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-the-scraper"


def test_this_machine_may_read_metrics(client):
    client.get("/health")
    response = client.get("/metrics")

    assert response.status_code == 200
    text = response.content.decode()
    assert 'parley_http_requests_total{method="GET",status="200",view=' in text
    assert "parley_redis_up 1.0" in text
    assert 'parley_processes{kind="runner"} 0.0' in text


@pytest.mark.parametrize(
    "request_headers",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
        {"HTTP_VIA": "1.1 door"},
        {"REMOTE_ADDR": "not an address"},
        {"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer "},
    ],
)
def test_others_may_not(client, request_headers):
    assert client.get("/metrics", **request_headers).status_code == 403


def test_a_token_opens_and_replaces_the_trust_in_this_machine(client, settings):
    settings.PARLEY_METRICS_TOKEN = TOKEN

    assert client.get("/metrics").status_code == 403
    assert client.get("/metrics", HTTP_AUTHORIZATION="Bearer wrong").status_code == 403
    allowed = client.get("/metrics", REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION=f"Bearer {TOKEN}")
    assert allowed.status_code == 200


def test_behind_a_proxy_being_local_opens_nothing(client, settings):
    settings.PARLEY_BEHIND_PROXY = True
    assert client.get("/metrics").status_code == 403

    settings.PARLEY_METRICS_TOKEN = TOKEN
    assert client.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {TOKEN}").status_code == 200


@pytest.mark.parametrize(("is_staff", "status"), [(True, 200), (False, 403)])
def test_staff_may_read_from_anywhere(client, is_staff, status):
    client.force_login(User.objects.create_user("someone@example.org", is_staff=is_staff))

    assert client.get("/metrics", REMOTE_ADDR="192.0.2.7").status_code == status


def test_labels_are_bounded(client):
    """An address or a method that does not exist must not make a time series of its own."""
    client.get("/no-such-page-7f3a")
    client.generic("MADEUP7F3A", "/health")

    text = client.get("/metrics").content.decode()
    assert "no-such-page" not in text
    assert "MADEUP7F3A" not in text
    assert 'method="other"' in text
    assert 'view="unmatched"' in text
