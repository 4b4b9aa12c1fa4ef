"""Memory as a tool: one's own, by its exact words, and only where it is wanted."""

import pytest

from accounts.models import User
from agents.memory.models import Memory
from agents.memory.services import add_memory
from agents.tools.registry import TOOLS
from agents.tools.types import Effect, Taint, ToolRefused
from tests.agents.tools.conftest import Call

pytestmark = pytest.mark.django_db(transaction=True)
HERE = {"has_memory": True}


@pytest.fixture
def person(alice: User) -> User:
    alice.memory = User.Memory.ASKED
    alice.save()
    return alice


def test_a_fact_is_remembered_and_forgotten(person, call: Call) -> None:
    found = call(person, "remember", text="Drinks tea. ", task=HERE)
    assert found.text == "Remembered: Drinks tea"
    assert found.taints == {Taint.PRIVATE}
    memory = Memory.objects.get(owner=person)
    assert (memory.text, memory.origin) == ("Drinks tea", Memory.Origin.ASKED)
    with pytest.raises(ToolRefused, match="remembered already"):
        call(person, "remember", text="drinks tea", task=HERE)
    with pytest.raises(ToolRefused, match="There is:\n- Drinks tea"):
        call(person, "forget", text="tea", task=HERE)
    assert call(person, "forget", text="drinks tea", task=HERE).text == "Forgotten: Drinks tea"
    assert not Memory.objects.filter(owner=person).exists()
    assert TOOLS["remember"].effect is TOOLS["forget"].effect is Effect.CHANGES


def test_anothers_memories_are_not_there(person, charlie, call: Call) -> None:
    add_memory(person, "The merger with Hooli")
    charlie.memory = User.Memory.ASKED
    charlie.save()
    with pytest.raises(ToolRefused) as refused:
        call(charlie, "forget", text="The merger with Hooli", task=HERE)
    assert str(refused.value).endswith("There is: none.")
    assert Memory.objects.filter(owner=person).count() == 1


def test_where_memory_is_off_nothing_is_kept(alice, person, settings, call: Call) -> None:
    for task in ({}, {"has_memory": True, "is_temporary": True}):
        with pytest.raises(ToolRefused, match="not remembered in this conversation"):
            call(person, "remember", text="Drinks tea", task=task)
    assert TOOLS["remember"].may_use(person)
    User.objects.filter(pk=person.pk).update(memory=User.Memory.OFF)  # since the run began
    for name in ("remember", "forget"):
        with pytest.raises(ToolRefused, match="does not want"):
            call(person, name, text="Drinks tea", task=HERE)
    person.refresh_from_db()
    assert not TOOLS["remember"].may_use(person)
    settings.PARLEY_MEMORY = False
    assert not TOOLS["remember"].is_there()
    assert not Memory.objects.exists()
