"""A typed function as a tool: its schema, its arguments, and who may call it."""

import asyncio
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from accounts.models import User
from agents.tools import registry
from agents.tools.registry import tool, tool_of, tools_of
from agents.tools.schema import arguments_of, read_arguments
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused
from agents.types import AgentSpec, AgentTask


async def weigh(
    calling: ToolCalling,
    title: str,
    grams: Annotated[int, Field(ge=0, description="how heavy")],
    unit: Literal["g", "kg"] = "g",
) -> str:
    """Weigh a thing."""
    return f"{title}: {grams} {unit}"


def test_a_signature_becomes_a_schema_and_a_docstring_the_description() -> None:
    made = tool_of(weigh, title="Weigh", effect=Effect.NONE)
    assert made.as_function() == {
        "type": "function",
        "function": {
            "name": "weigh",
            "description": "Weigh a thing.",
            "parameters": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "grams": {"type": "integer", "minimum": 0, "description": "how heavy"},
                    "unit": {"type": "string", "enum": ["g", "kg"], "default": "g"},
                },
                "required": ["title", "grams"],
                "additionalProperties": False,
            },
        },
    }


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "no JSON"),
        ("[1]", "must be a JSON object"),
        ('{"title": "x"}', "grams"),
        ('{"title": "x", "grams": -1}', "greater than or equal to 0"),
        ('{"title": "x", "grams": 1, "colour": "red"}', "colour"),
        ('{"title": "x", "grams": 1, "unit": "t"}', "'g' or 'kg'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_what_to_write(
    text: str, complaint: str
) -> None:
    with pytest.raises(ToolRefused, match=complaint):
        read_arguments(arguments_of(weigh), text)


def test_a_tool_that_models_cannot_be_told_of_is_not_made() -> None:
    async def untyped(calling: ToolCalling, thing) -> str:  # type: ignore[no-untyped-def]
        """Says nothing of its thing."""
        return ""

    async def silent(calling: ToolCalling) -> str:
        return ""

    async def endless(calling: ToolCalling, *things: str) -> str:
        """Takes any number."""
        return ""

    def blocking(calling: ToolCalling) -> str:
        """Not async."""
        return ""

    for function in (untyped, silent, endless, blocking):
        with pytest.raises(TypeError):
            tool_of(function, title="", effect=Effect.NONE)


def test_only_what_is_switched_on_there_and_allowed_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "TOOLS", {})
    register = tool(title="Weigh", effect=Effect.NONE)
    register(weigh)
    with pytest.raises(ValueError, match="two tools"):
        register(weigh)

    async def elsewhere(task: Any) -> list[Any]:
        return [
            tool_of(weigh, title="Weigh", effect=Effect.SENDS, is_there=lambda: False),
        ]

    def asked(*names: str) -> Any:
        return AgentTask(AgentSpec(tools=names), User(), "Which?")

    assert [*asyncio.run(tools_of(asked("weigh", "gone")))] == ["weigh"]
    assert asyncio.run(tools_of(asked())) == {}
    monkeypatch.setattr(registry, "PROVIDERS", [elsewhere])
    assert asyncio.run(tools_of(asked("weigh"))) == {}


def test_a_tool_gives_words_or_an_output() -> None:
    made = tool_of(weigh, title="Weigh", effect=Effect.NONE)
    calling: Any = SimpleNamespace()
    assert asyncio.run(made.run(calling, {"title": "salt", "grams": "3"})) == ToolOutput(
        "salt: 3 g"
    )
