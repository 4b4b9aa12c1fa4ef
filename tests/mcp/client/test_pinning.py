"""Names that cannot pass for others, and pins that say what was approved."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.mcp_client.naming import LONGEST, is_of_a_server, name_of
from agents.mcp_client.pinning import (
    MOST_CHARS,
    State,
    canonical,
    definition_of,
    difference,
    pin_of,
    state_of,
)
from agents.tools.registry import NAME, TOOLS

TOOL = {"name": "look", "description": "Looks.", "inputSchema": {"type": "object", "b": 1, "a": 2}}


def test_names_that_models_can_call() -> None:
    assert name_of("wiki", "search") == "wiki__search"
    assert name_of("wiki", "a.b/c").startswith("wiki__a_b_c_")
    assert name_of("wiki", "a.b") != name_of("wiki", "a/b") != name_of("wiki", "a_b")
    long = name_of("w" * 20, "x" * 200)
    assert len(long) == LONGEST
    assert long != name_of("w" * 20, "x" * 201)
    assert not [name for name in TOOLS if is_of_a_server(name)]


@given(st.text(max_size=90), st.text(max_size=90))
def test_two_tools_never_become_one(one: str, other: str) -> None:
    names = [name_of("wiki", tool) for tool in (one, other)]
    assert all(NAME.fullmatch(name) and is_of_a_server(name) for name in names)
    assert (names[0] == names[1]) == (one == other)


@pytest.mark.parametrize("name", ["search_documents", "__search", "wiki__", "Wiki__x", "a_b__c"])
def test_what_is_no_tool_of_a_server(name: str) -> None:
    assert not is_of_a_server(name)


def test_the_pin_is_of_what_counts_and_not_of_its_order() -> None:
    same = {**TOOL, "inputSchema": {"a": 2, "b": 1, "type": "object"}, "_meta": {"x": 1}}
    assert pin_of(definition_of(TOOL)) == pin_of(definition_of(same))


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Looks. "},
        {"title": "Look"},
        {"inputSchema": {"type": "object", "b": 1, "a": 3}},
        {"outputSchema": {"type": "object"}},
        {"annotations": {"readOnlyHint": True}},
    ],
)
def test_s57_one_character_is_another_definition(change: dict[str, Any]) -> None:
    assert pin_of(definition_of(TOOL)) != pin_of(definition_of(TOOL | change))


def test_nobody_is_asked_to_read_a_book() -> None:
    with pytest.raises(ValueError, match="too long"):
        definition_of(TOOL | {"description": "x" * MOST_CHARS})
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": float("nan")})


@pytest.mark.parametrize(
    ("pin", "approved", "rejected", "is_offered", "state"),
    [
        ("a", "", "", True, State.NEW),
        ("a", "a", "", True, State.APPROVED),
        ("b", "a", "", True, State.CHANGED),
        ("a", "", "a", True, State.REJECTED),
        ("b", "", "a", True, State.NEW),
        ("b", "a", "b", True, State.REJECTED),
        ("a", "a", "", False, State.GONE),
    ],
)
def test_what_holds_of_a_definition(
    pin: str, approved: str, rejected: str, is_offered: bool, state: State
) -> None:
    assert state_of(pin, approved, rejected, is_offered=is_offered) == state


def test_a_comparison_shows_what_is_new_and_what_was() -> None:
    lines = [(one.sign, one.text) for one in difference(TOOL, TOOL | {"description": "Sends."})]
    assert lines[:2] == [("-", "Looks."), ("+", "Sends.")]
    assert {sign for sign, _text in lines[2:]} == {" "}
