"""Saved prompts: whose they are, what is in them, and what happens to them."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone, translation

from accounts.departures import delete_user
from accounts.errors import SharingRefused
from accounts.models import Grant, Team, User
from accounts.services import everyone, share
from agents import saved_prompts
from agents.errors import TooManyPrompts
from agents.models import SavedPrompt
from agents.saved_prompt_examples import list_examples
from agents.saved_prompts import GRACE, Words, variables_of
from security.models import AuditEntry
from security.reading import reading_as

pytestmark = pytest.mark.django_db


@pytest.fixture
def prompt(alice: User) -> SavedPrompt:
    return saved_prompts.create_prompt(alice, "Summarise", "Summarise {{topic}} for {{whom}}.")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Nothing to fill in", []),
        ("{{a}} and {{ b }} and {{a}}", ["a", "b"]),
        ("总结 {{主题}}，给 {{读者 是谁}}", ["主题", "读者 是谁"]),
        ("{{}} {{ }} {a} {{a\nb}} {{{c}}}", ["c"]),
        ("{{" + "x" * 41 + "}}", []),
    ],
)
def test_blanks_are_found_once_each_in_their_order(text: str, names: list[str]) -> None:
    assert variables_of(text) == names


def test_a_prompt_is_its_owners_until_it_is_shared(prompt, alice, bob, charlie, team) -> None:
    assert [row.role for row in saved_prompts.list_prompts(alice)] == ["owner"]
    assert not saved_prompts.list_prompts(bob)
    shared = saved_prompts.set_readers(alice, prompt.pk, [team.pk], [])
    assert shared.teams == [team]
    found = saved_prompts.find_prompt(bob, prompt.pk)
    assert (found.role, found.is_shared) == ("reader", True)
    assert not saved_prompts.list_prompts(charlie)
    with pytest.raises(PermissionDenied):
        saved_prompts.set_readers(bob, prompt.pk, [], ["charlie@example.org"])
    with pytest.raises(Http404):
        saved_prompts.set_readers(charlie, prompt.pk, [], [])


def test_sharing_again_takes_away_whom_it_does_not_name(prompt, alice, bob, charlie) -> None:
    share(prompt, charlie, Grant.Role.EDITOR, by=alice)
    saved_prompts.set_readers(alice, prompt.pk, [], ["BOB@example.org"])
    assert saved_prompts.list_prompts(bob).exists()
    readers = saved_prompts.set_readers(alice, prompt.pk, [], ["charlie@example.org"])
    assert readers.people == []
    assert not saved_prompts.list_prompts(bob).exists()
    assert saved_prompts.find_prompt(charlie, prompt.pk).role == "editor", "an editor stays one"


def test_one_shares_with_ones_own_teams_and_with_people_who_are_there(prompt, alice, admin) -> None:
    others = Team.objects.create(name="Others")
    with pytest.raises(Http404):
        saved_prompts.set_readers(alice, prompt.pk, [others.pk], [])
    with pytest.raises(SharingRefused, match=r"nobody@example\.org"):
        saved_prompts.set_readers(alice, prompt.pk, [], ["nobody@example.org"])
    saved_prompts.set_readers(alice, prompt.pk, [everyone().pk], [])
    assert set(saved_prompts.list_teams(admin)) == {others, everyone()}


def test_deleted_is_gone_at_once_comes_back_and_is_purged(prompt, alice, bob) -> None:
    saved_prompts.set_readers(alice, prompt.pk, [], ["bob@example.org"])
    saved_prompts.delete_prompt(alice, prompt.pk)
    assert not saved_prompts.list_prompts(bob).exists()
    with pytest.raises(Http404):
        saved_prompts.restore_prompt(bob, prompt.pk)
    assert saved_prompts.purge_deleted() == 0, "there is time to take it back"
    saved_prompts.restore_prompt(alice, prompt.pk)
    saved_prompts.restore_prompt(alice, prompt.pk)
    assert saved_prompts.list_prompts(bob).exists()
    saved_prompts.delete_prompt(alice, prompt.pk)
    late = timezone.now() - GRACE - timedelta(seconds=1)
    SavedPrompt.objects.update(deleted_at=late)
    assert saved_prompts.purge_deleted() == 1
    assert not Grant.objects.filter(kind=Grant.Kind.SAVED_PROMPT).exists()
    acts = AuditEntry.objects.filter(act__startswith="prompt.").order_by("pk")
    assert [entry.act for entry in acts] == ["prompt.deleted", "prompt.restored", "prompt.deleted"]
    assert {entry.title for entry in acts} == {""}, "a prompt's name is people's words"


def test_what_one_has_word_for_word_is_not_added_twice(prompt, alice, monkeypatch) -> None:
    same = Words(prompt.name, prompt.text)
    assert len(saved_prompts.add_prompts(alice, [same, Words("A", "b"), Words(" A ", "b\0")])) == 1
    monkeypatch.setattr(saved_prompts, "MOST", 2)
    with pytest.raises(TooManyPrompts, match="2"):
        saved_prompts.create_prompt(alice, "One", "more")


def test_the_same_prompt_again_is_the_one_that_is_there(prompt, alice, bob) -> None:
    assert saved_prompts.create_prompt(alice, "Summarise ", prompt.text) == prompt
    assert saved_prompts.create_prompt(bob, "Summarise", prompt.text) != prompt


def test_every_word_of_a_search_must_be_there(prompt, alice) -> None:
    rows = SavedPrompt.objects.all()
    assert rows.filter(saved_prompts.matching("topic SUMM")).exists()
    assert not rows.filter(saved_prompts.matching("topic nowhere")).exists()


def test_prompts_go_with_their_owner(prompt, alice, bob) -> None:
    share(prompt, bob, Grant.Role.READER, by=alice)
    delete_user(alice)
    assert not SavedPrompt.objects.exists()
    assert not Grant.objects.exists()


def test_the_second_lock_shows_nobody_anothers_prompt(prompt, alice, bob) -> None:
    for person, count in ((alice, 1), (bob, 0)):
        with reading_as(person):
            assert SavedPrompt.objects.count() == count


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
def test_examples_have_blanks_in_every_language(language: str) -> None:
    with translation.override(language):
        examples = list_examples()
    assert all(variables_of(example.text) for example in examples)
    if language != "en":
        assert all(not example.name.isascii() for example in examples)
