"""What a link shows, to whom, until when; and what stays in the house."""

import re
from datetime import timedelta

import pytest
from django.http import Http404
from django.test import Client
from django.utils import timezone

from accounts.models import Grant
from accounts.services import disable, share
from chat import services
from chat.errors import IsTemporary, LinksAreOff, NothingToShare
from chat.models import Citation, Conversation, Message, SharedLink
from chat.retention import deletion, temporary
from chat.selectors import list_conversations
from chat.sharing import links, shared
from chat.sharing import services as sharing
from chat.sidebar.history import list_history
from knowledge.models import Collection, Document, Source
from security.ids import new_id
from security.models import AuditEntry
from security.rate_limits import forget_everybody
from security.rates import parse_rates
from tests.support.processes import sign_in

pytestmark = pytest.mark.django_db
OWN = {"X-Request-ID", "Content-Length", "Set-Cookie", "Expires"}
TITLE, QUOTE = "The secret policy", "Leave is twenty weeks for the inner circle."
PASSAGE = {
    "n": 1, "title": TITLE, "heading_path": [TITLE], "page": None, "start": 0, "end": 9,
    "score": 1.0,
}  # fmt: skip


@pytest.fixture
def document(alice) -> Document:
    shelf = Collection.objects.create(owner=alice, name="Shelf")
    source = Source.objects.create(collection=shelf, name="Uploads")
    return Document.objects.create(
        collection=shelf, source=source, title=TITLE, file_name="p.md", size=1, sha256="0" * 64
    )


@pytest.fixture
def talk(alice, document) -> Conversation:
    """A question and its answer with a citation, a search, and what the model thought."""
    turn = services.start_turn(alice, None, "How long is the leave?")
    ids = {"document_id": str(document.pk), "chunk_id": str(new_id())}
    found = {"query": "leave", "took_ms": 1, "passages": [PASSAGE | ids]}
    Message.objects.filter(pk=turn.answer_id).update(
        text="Twenty weeks [1].",
        status="complete",
        reasoning=f"The passage says: {QUOTE}",
        steps=[{"kind": "retrieval_completed", "data": found}],
        usage={"prompt_tokens": 4321},
    )
    Citation.objects.create(
        message_id=turn.answer_id, document=document, chunk_id=new_id(), n=1, quote=QUOTE, start=0,
        end=9, title=TITLE,
    )  # fmt: skip
    return Conversation.objects.get(pk=turn.conversation_id)


def asked_again(alice, talk, text="And then?") -> None:
    turn = services.start_turn(alice, talk.pk, text)
    Message.objects.filter(pk=turn.answer_id).update(text="Later words.", status="complete")


def words(token, reader) -> list[str]:
    return [shown.message.text for shown in shared.read_shared(token, reader).messages]


def browser(user=None) -> Client:
    client = Client(raise_request_exception=False)
    if user is not None:
        client.cookies["session"] = sign_in(user)
    return client


def test_it_shows_the_conversation_as_it_was_until_it_is_updated(alice, bob, talk):
    link, token = links.make_link(alice, talk.pk)
    asked_again(alice, talk)
    services.rename_conversation(alice, talk.pk, "A new title")
    assert words(token, bob) == ["How long is the leave?", "Twenty weeks [1]."]
    assert shared.read_shared(token, bob).link.title == "How long is the leave?"
    links.update_link(alice, link.pk)
    assert words(token, bob)[2:] == ["And then?", "Later words."]
    assert shared.read_shared(token, bob).link.title == "A new title"


def test_an_answer_that_is_being_written_is_not_in_it(alice, bob, talk):
    services.start_turn(alice, talk.pk, "And then?")
    _link, token = links.make_link(alice, talk.pk)
    assert words(token, bob) == ["How long is the leave?", "Twenty weeks [1]."]
    empty = services.create_conversation(alice, "Empty")
    with pytest.raises(NothingToShare):
        links.make_link(alice, empty.pk)


def test_the_token_is_stored_as_a_hash_alone(alice, talk):
    _link, token = links.make_link(alice, talk.pk)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    row = SharedLink.objects.values().get()
    assert token not in str(row)
    assert token not in str(list(AuditEntry.objects.values()))


def test_it_ends_with_its_time_its_maker_its_conversation_or_a_word(alice, bob, talk, settings):
    def gone(token) -> bool:
        return links.find_link(token, bob) is None

    link, token = links.make_link(alice, talk.pk, days=7)
    assert not gone(token)
    SharedLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert gone(token)
    SharedLink.objects.update(expires_at=None)
    deletion.delete_conversation(alice, talk.pk)
    assert gone(token)
    deletion.restore_conversation(alice, talk.pk)
    assert not gone(token)
    settings.PARLEY_LINKS = "off"
    assert gone(token)
    settings.PARLEY_LINKS = "people"
    bob.is_active = False
    assert gone(token), "a disabled reader"
    bob.is_active = True
    disable(alice)
    assert gone(token), "a disabled maker"
    alice.is_active = True
    alice.save()
    links.revoke_link(alice, link.pk)
    assert gone(token)
    acts = AuditEntry.objects.filter(act__startswith="link.").order_by("at")
    assert [entry.act for entry in acts] == ["link.made", "link.revoked"]


def test_only_an_owner_makes_updates_and_revokes(alice, bob, charlie, talk):
    share(talk, bob, Grant.Role.EDITOR, by=alice)
    link, _token = links.make_link(alice, talk.pk)
    for person in (bob, charlie):
        for attempt in (
            lambda who=person: links.make_link(who, talk.pk),
            lambda who=person: links.update_link(who, link.pk),
            lambda who=person: links.revoke_link(who, link.pk),
        ):
            with pytest.raises(Http404):
                attempt()


def test_anyone_only_where_link_and_installation_say_so(alice, talk, settings):
    with pytest.raises(LinksAreOff):
        links.make_link(alice, talk.pk, is_public=True)
    settings.PARLEY_LINKS = "anyone"
    _link, private = links.make_link(alice, talk.pk)
    _link, public = links.make_link(alice, talk.pk, is_public=True)
    nobody = browser()
    assert nobody.get(f"/s/{private}").status_code == 404
    assert nobody.get(f"/s/{public}").status_code == 200
    settings.PARLEY_LINKS = "people"
    door = nobody.get(f"/s/{public}")
    assert (door.status_code, door["Location"]) == (302, f"/accounts/login/?next=/s/{public}")


def test_sources_only_for_those_who_may_see_them(alice, bob, charlie, talk, document, settings):
    settings.PARLEY_LINKS = "anyone"
    share(document.collection, bob, Grant.Role.READER, by=alice)
    _link, token = links.make_link(alice, talk.pk, is_public=True)
    for reader, sees in ((alice, True), (bob, True), (charlie, False), (None, False)):
        page = browser(reader).get(f"/s/{token}").content.decode()
        assert "Twenty weeks [1]." in page
        assert (TITLE in page, QUOTE in page) == (sees, sees), reader
        assert ("is left out" in page or "are left out" in page) == (reader == charlie)
        assert ("people who sign in" in page) == (reader is None)
        for kept in ("The passage says", "4321", alice.email):
            assert kept not in page
        assert (alice.get_short_name() in page) == (reader is not None)


def test_every_dead_address_reads_the_same(alice, bob, charlie, talk, settings):
    settings.PARLEY_LINKS = "anyone"
    revoked, dead = links.make_link(alice, talk.pk, is_public=True)
    expired, old = links.make_link(alice, talk.pk, is_public=True)
    _link, private = links.make_link(alice, talk.pk)
    links.revoke_link(alice, revoked.pk)
    SharedLink.objects.filter(pk=expired.pk).update(expires_at=timezone.now())
    for reader, addresses in ((bob, (dead, old)), (None, (dead, old, private))):
        said = set()
        for token in (*addresses, "A" * 43, "short", "é" * 43):
            answer = browser(reader).get(f"/s/{token}")
            assert answer.status_code == 404
            body = re.sub(r'csrf[-\w]*"[^>]*>', "", answer.content.decode())
            body = re.sub(r"(/s/|%2Fs%2F)[^\"&]+", "/s/", body)
            kept = {name: value for name, value in answer.items() if name not in OWN}
            said.add((body, str(kept)))
        assert len(said) == 1


def test_what_the_page_says_to_browsers_and_robots(alice, talk):
    _link, token = links.make_link(alice, talk.pk)
    for address in (token, "A" * 43):
        answer = browser(alice).get(f"/s/{address}")
        assert answer["Referrer-Policy"] == "same-origin"
        assert "noindex" in answer["X-Robots-Tag"]
        assert "no-store" in answer["Cache-Control"]


def test_the_log_never_holds_an_address(alice, talk, capfd, settings):
    _link, token = links.make_link(alice, talk.pk)
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.cookies["session"] = sign_in(alice)
    assert client.get(f"/s/{token}").status_code == 200
    assert client.post(f"/s/{token}/continue").status_code == 403
    out, err = capfd.readouterr()
    assert "/s/…" in out + err
    assert token not in out + err


def test_views_are_counted(alice, talk, settings):
    _link, token = links.make_link(alice, talk.pk)
    settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {"shared": parse_rates("2/h/address")}
    forget_everybody()
    client = browser(alice)
    assert [client.get(f"/s/{token}").status_code for _n in range(3)] == [200, 200, 429]
    forget_everybody()


def test_it_goes_on_in_a_conversation_of_ones_own(alice, bob, charlie, talk, document):
    share(document.collection, bob, Grant.Role.READER, by=alice)
    _link, token = links.make_link(alice, talk.pk)
    asked_again(alice, talk)
    for reader, citations in ((bob, 1), (charlie, 0)):
        answer = browser(reader).post(f"/s/{token}/continue")
        made = Conversation.objects.get(owner=reader)
        assert answer["Location"] == f"/c/{made.pk}"
        messages = list(Message.objects.filter(conversation=made).order_by("pk"))
        assert [it.text for it in messages] == ["How long is the leave?", "Twenty weeks [1]."]
        assert messages[1].parent == messages[0]
        assert made.leaf_id == messages[1].pk
        assert messages[1].reasoning == ""
        assert Citation.objects.filter(message=messages[1]).count() == citations
        assert (TITLE in str(messages[1].steps)) == bool(citations)
        services.start_turn(reader, made.pk, "And for me?")
    assert Message.objects.filter(conversation=talk).count() == 4, "the original is untouched"


def test_shared_with_people_it_is_marked_in_both_sidebars(alice, bob, charlie, talk):
    def marks(person) -> list[bool]:
        groups = list_history(person)
        rows = [row for group in groups for row in group.conversations]
        sharing.mark_shared(person, rows)
        return [row.is_shared for row in rows]

    assert marks(alice) == [False]
    grant = sharing.share_conversation(alice, talk.pk, bob, "reader")
    assert marks(alice) == marks(bob) == [True]
    assert marks(charlie) == []
    sharing.unshare_conversation(alice, talk.pk, grant.pk)
    assert (marks(alice), marks(bob)) == ([False], [])
    links.make_link(alice, talk.pk)
    assert marks(alice) == [True]


def test_the_dialog_over_its_forms(alice, bob, talk):
    client = browser(alice)
    place = f"/c/{talk.pk}/sharing"
    made = client.post(f"{place}/links", {"days": "7"}).content.decode()
    address = re.search(r'value="http://testserver(/s/[\w-]{43})"', made)
    assert address
    assert browser(bob).get(address[1]).status_code == 200
    assert address[1] not in client.get(place).content.decode(), "shown once"
    given = client.post(f"{place}/people", {"email": bob.email, "role": "editor"})
    assert bob.email in given.content.decode()
    assert list_conversations(bob).get().role == "editor"
    wrong = client.post(f"{place}/people", {"email": "x@example.org", "role": "editor"})
    assert "Nobody here has this address" in wrong.content.decode()
    grant = sharing.list_people(talk).get()
    client.post(f"{place}/people/{grant.pk}/remove")
    assert not list_conversations(bob).exists()
    link = SharedLink.objects.get()
    assert "Updated" in client.post(f"/links/{link.pk}/update").content.decode()
    assert str(link.title) in client.get("/settings/links/").content.decode()
    client.post(f"/links/{link.pk}/revoke", {"list": "1"})
    assert browser(bob).get(address[1]).status_code == 404


def test_over_the_api(alice, bob, talk, api_for):
    api = api_for(alice)
    place = f"/conversations/{talk.pk}"
    made = api.post(f"{place}/links", {"days": 7}).json()
    token = made["url"].rsplit("/", 1)[1]
    assert words(token, bob) == ["How long is the leave?", "Twenty weeks [1]."]
    (listed,) = api.get("/links").json()
    assert (listed["id"], listed["url"]) == (made["id"], None)
    asked_again(alice, talk)
    assert api.post(f"/links/{made['id']}/update").json()["leaf_id"] != made["leaf_id"]
    copied = api_for(bob).post("/links/continue", {"token": token})
    assert copied.status_code == 201
    assert copied.json()["role"] == "owner"
    given = api.__call__("PUT", f"{place}/grants", {"email": bob.email, "role": "reader"}).json()
    assert [row["name"] for row in api.get(f"{place}/grants").json()] == ["Bob"]
    assert api.delete(f"{place}/grants/{given['id']}").status_code == 204
    assert api.delete(f"/links/{made['id']}").status_code == 204
    assert api.get("/links").json() == []


def test_what_is_temporary_is_shared_with_nobody(alice, bob):
    turn = services.start_turn(alice, None, "Between us?", temporary=True)
    Message.objects.filter(pk=turn.answer_id).update(text="Yes.", status="complete")
    with pytest.raises(IsTemporary):
        links.make_link(alice, turn.conversation_id)
    with pytest.raises(IsTemporary):
        sharing.share_conversation(alice, turn.conversation_id, bob, "reader")
    temporary.keep_conversation(alice, turn.conversation_id)
    links.make_link(alice, turn.conversation_id)


def test_links_go_with_their_conversation(alice, talk):
    links.make_link(alice, talk.pk)
    deletion.remove([talk.pk])
    assert not SharedLink.objects.exists()
