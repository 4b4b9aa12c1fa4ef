"""Glossaries: written, imported, and read only by those who see the collection."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Grant, User
from accounts.services import share
from knowledge.glossary import presence, services, tables
from knowledge.glossary.errors import GlossaryRefused
from knowledge.glossary.selectors import find_entries, list_entries
from knowledge.models import Collection, GlossaryEntry

pytestmark = pytest.mark.django_db

LEAVE = ["annual leave", "vacation", "年假"]


def terms(collection: Collection) -> list[list[str]]:
    return list(collection.glossary.order_by("pk").values_list("terms", flat=True))


def test_a_question_finds_the_entries_of_what_the_person_may_see(
    alice: User, bob: User, handbook: Collection
) -> None:
    services.put_entry(handbook, LEAVE)
    assert find_entries(alice, "How many Vacations do I get?", None) == [LEAVE]
    assert find_entries(alice, "特休年假幾天", [handbook.pk]) == [LEAVE]
    assert find_entries(alice, "What is a vacationer?", None) == []
    assert find_entries(bob, "How many vacations?", None) == []
    assert find_entries(bob, "How many vacations?", [handbook.pk]) == []
    share(handbook, bob, Grant.Role.READER, by=alice)
    assert find_entries(bob, "How many vacations?", None) == [LEAVE]


def test_that_there_is_none_is_remembered_until_there_is_one(
    handbook: Collection, django_assert_num_queries: Any
) -> None:
    presence.forget()
    assert not presence.is_any_there()
    with django_assert_num_queries(0):
        assert not presence.is_any_there()
    services.put_entry(handbook, LEAVE)
    assert presence.is_any_there()
    with django_assert_num_queries(0):
        assert presence.is_any_there()
    presence.forget()


def test_the_entries_of_other_collections_do_not_count(alice: User, handbook: Collection) -> None:
    services.put_entry(handbook, LEAVE)
    other = Collection.objects.create(owner=alice, name="Other")
    assert find_entries(alice, "vacation", [other.pk]) == []


def test_the_later_of_two_with_a_word_in_common_counts(handbook: Collection) -> None:
    services.put_entry(handbook, LEAVE)
    services.put_entry(handbook, ["SLA", "service level agreement"])
    services.put_entry(handbook, ["Vacations", "休假"])
    assert terms(handbook) == [["SLA", "service level agreement"], ["Vacations", "休假"]]
    entry = handbook.glossary.get(keys__contains=["sla"])
    services.change_entry(entry, ["SLA", "vacation"])
    assert terms(handbook) == [["SLA", "vacation"]]


@pytest.mark.parametrize(
    "words", [["one"], ["one", "ONE", "ones"], ["", " "], ["a", "!?"], ["a", "b" * 81]]
)
def test_what_is_no_entry_is_refused(handbook: Collection, words: list[str]) -> None:
    with pytest.raises(GlossaryRefused):
        services.put_entry(handbook, words)
    assert terms(handbook) == []


def test_an_import_says_what_became_of_every_line(handbook: Collection) -> None:
    services.put_entry(handbook, LEAVE)
    data = "English,中文\nannual leave,vacation,年假\nSLA,服务水平协议\n\nalone\nsla,服务等级协议\n"
    found = services.import_entries(handbook, tables.read_rows(data.encode()))
    assert (found.added, found.changed, found.same) == (1, 1, 1)
    assert [line for line, _reason in found.refused] == [4]
    assert terms(handbook) == [LEAVE, ["sla", "服务等级协议"]]


@pytest.mark.parametrize(
    "data",
    [
        "出差;business trip\n".encode("gb18030"),
        "\ufeff出差\tbusiness trip\n".encode(),
        "出差,business trip\r\n".encode(),
    ],
)
def test_files_of_spreadsheets_are_read(data: bytes) -> None:
    assert tables.read_rows(data) == [["出差", "business trip"]]


@pytest.mark.parametrize("data", [b"", b"\0\1", b"\xff\xff\xff", b"a" * (1024 * 1024 + 1)])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(GlossaryRefused):
        tables.read_rows(data)


def test_what_is_exported_can_be_imported(alice: User, handbook: Collection) -> None:
    services.put_entry(handbook, ["=1+1", "two", "-x"])
    services.put_entry(handbook, LEAVE)
    lines = "".join(tables.write_rows(list_entries(alice, handbook)))
    assert "'=1+1" in lines
    found = services.import_entries(handbook, tables.read_rows(lines.encode()))
    assert (found.same, found.added, found.changed) == (2, 0, 0)


def test_a_glossary_is_searched_by_any_part_of_its_words(alice: User, handbook: Collection) -> None:
    services.put_entry(handbook, LEAVE)
    services.put_entry(handbook, ["100%", "everything"])
    assert [row.terms for row in list_entries(alice, handbook, "acat")] == [LEAVE]
    assert [row.terms for row in list_entries(alice, handbook, "年")] == [LEAVE]


def test_editors_keep_it_on_a_page(alice: User, handbook: Collection) -> None:
    client = Client()
    client.force_login(alice)
    page = f"/knowledge/{handbook.pk}/understanding/"
    assert client.get(page).status_code == 200
    client.post(f"/knowledge/{handbook.pk}/glossary", {"terms": "annual leave、vacation；年假"})
    entry = GlossaryEntry.objects.get()
    assert entry.terms == LEAVE
    client.post(f"/knowledge/glossary/{entry.pk}", {"terms": "leave, 年假"})
    assert terms(handbook) == [["leave", "年假"]]
    file = SimpleUploadedFile("words.csv", "SLA,服务水平协议\nlonely\n".encode())
    told = client.post(
        f"/knowledge/{handbook.pk}/glossary/import", {"file": file}, follow=True
    ).content.decode()
    assert "1 entry came in." in told
    assert "Line 2 is left out" in told
    exported = client.get(f"/knowledge/{handbook.pk}/glossary.csv").content.decode()
    assert exported == "\ufeffSLA,服务水平协议\r\nleave,年假\r\n"
    client.post(f"/knowledge/glossary/{entry.pk}", {"delete": "1"})
    assert terms(handbook) == [["SLA", "服务水平协议"]]


def test_switches_are_kept_as_they_are_chosen(alice: User, handbook: Collection) -> None:
    client = Client()
    client.force_login(alice)
    chosen = {"understanding_filters": "on", "understanding_hypothetical": "off"}
    client.post(f"/knowledge/{handbook.pk}/understanding/switches", chosen)
    handbook.refresh_from_db()
    assert handbook.understanding == {"filters": True, "hypothetical": False}
    patched = client.patch(
        f"/api/v1/collections/{handbook.pk}",
        {"understanding": {"filters": None, "parts": True}},
        content_type="application/json",
    )
    assert patched.json()["understanding"] == {"hypothetical": False, "parts": True}
    client.post(f"/knowledge/{handbook.pk}/understanding/switches", {})
    handbook.refresh_from_db()
    assert handbook.understanding == {}
