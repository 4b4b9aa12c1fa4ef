"""Buckets: of a person, a token, an address; in Redis, and in the process while Redis is away."""

import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from chat.services import create_conversation
from observability import doorbell
from security import rate_limits
from security.cache import absence
from security.rate_limits import Action, LimitReached, forget_everybody, network_of, refund, spend
from security.rates import Per, Rate, fill, parse_rates
from tests.chat.stage import play, socket
from tests.support.cast import PASSWORD

ALICE = {Per.PERSON: "alice", Per.ADDRESS: "192.0.2.1"}
BOB = {Per.PERSON: "bob", Per.ADDRESS: "192.0.2.1"}


@pytest.fixture(autouse=True)
def _empty_buckets():
    forget_everybody()
    yield
    absence.ends_at = 0.0
    forget_everybody()


@pytest.fixture
def limit(settings):
    """Sets the rates of one action."""

    def set_to(action, text):
        settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {action: parse_rates(text)}

    return set_to


@pytest.fixture
def no_redis(settings, tmp_path):
    settings.REDIS_URL = f"unix://{tmp_path}/nothing.sock"
    doorbell.connection.cache_clear()
    absence.ends_at = 0.0
    yield
    settings.REDIS_URL = ""
    doorbell.connection.cache_clear()


def granted(action, who, tries):
    """How many of so many tries passed."""
    passed = 0
    for _ in range(tries):
        try:
            spend(action, who)
            passed += 1
        except LimitReached:
            continue
    return passed


def a_file():
    return SimpleUploadedFile("note.md", b"# Note")


@pytest.mark.parametrize(
    ("text", "rates"),
    [
        ("off", ()),
        ("120/m/person", (Rate(120, 60, Per.PERSON),)),
        ("10/5m/guesser, 1/d/token", (Rate(10, 300, Per.GUESSER), Rate(1, 86_400, Per.TOKEN))),
    ],
)
def test_rates_are_read(text, rates):
    assert parse_rates(text) == rates


@pytest.mark.parametrize("text", ["", "120", "120/m", "0/m/person", "1/y/person", "1/m/planet"])
def test_a_malformed_rate_says_how_it_looks(text):
    with pytest.raises(ValueError, match="120/m/person"):
        parse_rates(text)


def test_a_bucket_gives_its_amount_at_once_and_then_evenly():
    rate = Rate(6, 60, Per.PERSON)
    full_at, waits = None, []
    for now in (*[0.0] * 7, 10_000.0, 10_000.0, 1e9):
        after, wait = fill(full_at, now, rate)
        waits.append(wait)
        full_at = full_at if wait else after
    assert waits == [0, 0, 0, 0, 0, 0, 10_000, 0, 10_000, 0]


def test_beyond_the_rate_nothing_is_granted_and_nothing_is_counted(limit):
    limit("turns", "5/h/person,8/h/address")

    assert granted(Action.TURNS, ALICE, 20) == 5
    assert granted(Action.TURNS, BOB, 20) == 3
    assert granted(Action.SEARCHES, BOB, 1) == 1


def test_at_once_from_many_threads_exactly_the_amount_is_granted(limit):
    limit("turns", "10/h/person")
    passed = []
    threads = [
        threading.Thread(target=lambda: passed.append(granted(Action.TURNS, ALICE, 5)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 10


def test_what_is_given_back_may_be_asked_for_again(limit):
    limit("sign_in", "2/h/person")
    for _ in range(10):
        spend(Action.SIGN_IN, ALICE)
        refund(Action.SIGN_IN, ALICE)
    assert granted(Action.SIGN_IN, ALICE, 5) == 2


def test_f05_an_emptied_redis_starts_with_half(limit):
    limit("turns", "10/h/person")
    assert granted(Action.TURNS, ALICE, 20) == 10
    found = doorbell.connection().scan_iter(f"{rate_limits.PREFIX}*")
    doorbell.connection().delete(*found)
    assert granted(Action.TURNS, ALICE, 20) == 5


def test_f05_without_redis_each_process_counts_for_itself(limit, no_redis):
    limit("turns", "5/h/person")
    assert granted(Action.TURNS, ALICE, 20) == 5
    assert granted(Action.TURNS, BOB, 20) == 5
    refund(Action.TURNS, BOB)
    assert granted(Action.TURNS, BOB, 20) == 1


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_one_customer_of_ipv6_is_one_network(address, network):
    assert network_of(address) == network


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("action", "path", "body"),
    [
        ("turns", "/conversations/{talk}/turns", {"text": "Why?"}),
        ("searches", "/search", {"query": "why"}),
    ],
)
def test_the_api_says_when_to_come_back(alice, api_for, limit, action, path, body):
    limit(action, "1/h/person")
    api = api_for(alice)
    talk = api.post("/conversations", {}).json()["id"]
    assert api.post(path.format(talk=talk), body).status_code in {200, 202}
    refused = api.post(path.format(talk=talk), body)

    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:parley:problem:too-many-requests"
    assert 0 < int(refused["Retry-After"]) <= 3600
    assert refused["Retry-After"] in refused.json()["detail"]


@pytest.mark.django_db
def test_uploads_are_counted_on_the_page_and_in_the_api_together(alice, api_for, limit):
    limit("uploads", "2/h/person")
    api, client = api_for(alice), Client()
    client.force_login(alice)
    home = api.post("/collections", {"name": "Notes"}).json()["id"]
    page, script = f"/knowledge/{home}/upload", {"Accept": "application/json"}
    assert client.post(page, {}, headers=script).status_code == 400
    assert api.upload(f"/collections/{home}/documents", file=a_file()).status_code == 202
    assert api.upload(f"/collections/{home}/documents", file=a_file()).status_code == 429
    refused = client.post(page, {}, headers=script)
    assert refused.status_code == 429
    assert "uploads" in refused.json()["detail"]


@pytest.mark.django_db
def test_a_page_says_it_in_words(alice, limit):
    limit("tokens", "1/h/person")
    client = Client()
    client.force_login(alice)
    form = {"name": "laptop", "days": "30"}
    assert client.post("/settings/tokens/new", form).status_code == 200
    page = client.post("/settings/tokens/new", form, headers={"Accept-Language": "zh-TW"})
    assert (page.status_code, page["Content-Language"]) == (429, "zh-hant")
    assert page["Retry-After"] in page.content.decode()
    partial = client.post("/settings/tokens/new", form, headers={"HX-Request": "true"})
    assert partial.json()["status"] == 429
    assert alice.api_tokens.count() == 1


@pytest.mark.django_db
def test_conversations_are_searched_in_the_sidebar_and_in_the_api_from_one_bucket(
    alice, api_for, limit
):
    limit("searches", "2/h/person")
    api, talk = api_for(alice), create_conversation(alice, title="T")
    client = Client()
    client.force_login(alice)
    assert client.get("/conversations/", {"q": "t"}).status_code == 200
    assert api.get(f"/conversations/{talk.pk}/export").status_code == 200
    assert client.get("/conversations/", {"q": "t"}).status_code == 429
    assert api.get("/conversations/search?q=t").status_code == 429
    assert client.get("/conversations/").status_code == 200


@pytest.mark.django_db
def test_a_token_has_a_bucket_of_its_own(alice, api_for, limit):
    limit("searches", "1/h/token")
    for _ in range(2):
        api = api_for(alice)
        assert api.post("/search", {"query": "x"}).status_code == 200
        assert api.post("/search", {"query": "x"}).status_code == 429


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("language", "words"),
    [("", "Too many questions at once; try again in"), ("zh-hans", "一次提问太多"),
     ("zh-hant", "一次提問太多")],
)  # fmt: skip
def test_s43_the_socket_draws_from_the_same_bucket_as_http(alice, api_for, limit, language, words):
    limit("turns", "2/h/person")
    alice.language = language
    alice.save()
    api = api_for(alice)
    talk = api.post("/conversations", {}).json()["id"]
    assert api.post(f"/conversations/{talk}/turns", {"text": "One?"}).status_code == 202

    async def scenario():
        async with socket(alice) as tab:
            assert (await tab.ask("Two?", id="2"))["type"] == "accepted"
            refused = await tab.ask("Three?", id="3")
            assert (refused["id"], refused["problem"]) == ("3", "too-many-requests")
            assert words in refused["detail"]

    play(scenario)
    forged = {"X-Forwarded-For": "198.51.100.7"}
    again = api.post(f"/conversations/{talk}/turns", {"text": "Four?"}, headers=forged)
    assert again.status_code == 429


def sign_in(email, password, address="192.0.2.1", **headers):
    client = Client(REMOTE_ADDR=address, headers=headers)
    return client.post("/accounts/login/", {"login": email, "password": password})


def is_in(answer):
    return answer.status_code == 302


@pytest.mark.django_db
def test_s12_guessing_one_account_is_refused_and_locks_nobody_out(alice, bob):
    for number in range(20):
        sign_in(alice.email, "wrong", Host=f"localhost:{number + 1}")
    refused = sign_in(alice.email, PASSWORD)
    assert not is_in(refused)
    assert "try again in" in refused.content.decode()
    assert is_in(sign_in(alice.email.upper(), PASSWORD, "192.0.2.2"))
    assert is_in(sign_in(bob.email, PASSWORD))
    forget_everybody()  # what the minutes do
    assert is_in(sign_in(alice.email, PASSWORD))


@pytest.mark.django_db
def test_s12_many_addresses_together_are_refused_too(alice):
    for number in range(30):
        sign_in(alice.email, "wrong", f"192.0.2.{number}")
    assert not is_in(sign_in(alice.email, PASSWORD, "198.51.100.1"))


@pytest.mark.django_db
def test_s12_one_address_cannot_try_many_accounts(alice):
    for number in range(200):
        sign_in(f"nobody{number}@example.org", "wrong", **{"X-Forwarded-For": f"10.0.0.{number}"})
    assert not is_in(sign_in(alice.email, PASSWORD))
    assert is_in(sign_in(alice.email, PASSWORD, "192.0.2.2"))


@pytest.mark.django_db
def test_s12_who_knows_the_password_is_never_slowed(alice):
    assert all(is_in(sign_in(alice.email, PASSWORD)) for _ in range(40))


@pytest.mark.django_db
def test_s12_the_administration_has_no_door_of_its_own(admin):
    form = {"username": admin.email, "password": PASSWORD}
    answer = Client().post("/admin/login/?next=/admin/", form)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.django_db
def test_violations_of_the_content_policy_are_counted_and_nothing_is_kept(client, limit, caplog):
    def counted():
        lines = client.get("/metrics").content.decode().splitlines()
        names = "parley_csp_violations_total{directive="
        found = (line.removeprefix(names) for line in lines if line.startswith(names))
        return {name.strip('"}'): float(n) for name, n in (line.rsplit(" ", 1) for line in found)}

    limit("reports", "6/h/address")
    before = counted()
    old = {"csp-report": {"violated-directive": "img-src 'self'", "blocked-uri": "secret"}}
    new = [{"type": "csp-violation", "body": {"effectiveDirective": "script-src-elem"}}]
    odd = {"csp-report": {"effective-directive": "x" * 1000}}
    for sent in (old, new, odd, [], "text", {"csp-report": 5}, old, old):
        answer = client.post("/csp-report", sent, content_type="application/json")
        assert (answer.status_code, answer.content) == (204, b"")
    after = counted()
    assert after["img-src"] - before.get("img-src", 0) == 1
    assert after["script-src-elem"] - before.get("script-src-elem", 0) == 1
    assert after["other"] - before.get("other", 0) >= 1
    assert not any("xxx" in name for name in after)
    assert "secret" not in caplog.text


@pytest.mark.django_db
def test_a_report_nested_beyond_every_recursion_is_taken_like_any_other(client):
    deep = f'{{"csp-report": {{"effective-directive": {"[" * 1000}{"]" * 1000}}}}}'
    answer = client.post("/csp-report", deep, content_type="application/csp-report")
    assert answer.status_code == 204
