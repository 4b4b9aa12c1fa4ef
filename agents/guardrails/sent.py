"""What programs send beside the words of their messages, as rules let it go on: definitions of
their tools, decoding controls, and fields that only some servers know."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agents.guardrails.guard import Guard, Numbered
from agents.guardrails.rules import FindsParts
from agents.guardrails.types import Place
from gateway.controls import Controls
from gateway.types import AS_IT_IS
from security.sentences import Sentence

Rules = Sequence[Numbered] | None
# Of a message: what is no text for a model, and what somebody says in it.
NO_WORDS = frozenset(
    {
        "role", "type", "id", "tool_call_id", "image_url", "input_audio", "file", "audio",
        "video_url",
    }
)  # fmt: skip
# Of a tool: there a key may also be a name that the program chose, of a property for instance, and
# is a word of the protocol only where a string stands behind it.
KEYWORDS = frozenset({"type", "id", "$schema", "$id", "$ref"})
SAID = frozenset({"content", "text", "refusal", "reasoning_content", "reasoning"})
# Controls in which other words would be another pattern, or the name of something else.
FIXED = ("regex", "grammar", "lora", "reasoning_effort")


class QuestionBlocked(Exception):
    """A rule keeps it from every model; the text says which and why."""


async def field(
    guard: Guard, name: str, value: Any, place: Place, rules: Rules, *, is_free: bool = False
) -> Any:
    """What is said as all rules see it; names, arguments and the like by those that find parts.
    With `is_free` keys may be names that the program chose. Raises QuestionBlocked."""
    if name in KEYWORDS and isinstance(value, str) if is_free else name in NO_WORDS:
        return value
    if isinstance(value, Mapping):
        return {
            key: await field(guard, key, one, place, rules, is_free=is_free)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        name = name if name in SAID else ""
        return [await field(guard, name, one, place, rules, is_free=is_free) for one in value]
    if not isinstance(value, str):
        return value
    if name not in SAID:
        given = guard.at(place) if rules is None else rules
        rules = [(n, rule) for n, rule in given if isinstance(rule, FindsParts)]
    return await hidden(guard, value, place, rules)


async def hidden(guard: Guard, text: str, place: Place, rules: Rules) -> str:
    """Raises QuestionBlocked."""
    looked = await guard.hidden(text, place, rules=rules)
    if looked.blocked:
        raise QuestionBlocked(looked.blocked)
    return looked.text


async def unknown(guard: Guard, given: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that are sent on as they are. Raises QuestionBlocked."""
    found: dict[str, Any] = await field(guard, "", given, Place.INPUT, None, is_free=True)
    return found


async def controls(guard: Guard, given: Controls) -> Controls:
    """Forms, words and predictions as the model may read them: what is hidden in a form is opened
    in the answer that has it. Raises QuestionBlocked, also where it cannot be hidden."""
    if given == AS_IT_IS:
        return given

    async def told(value: Any, name: str = "") -> Any:
        return await field(guard, name, value, Place.INPUT, None, is_free=True)

    for name in FIXED:
        if (text := getattr(given, name)) and await told(text) != text:
            raise QuestionBlocked(Sentence("guardrail_in_form", name=name))
    schema = given.json_schema
    return replace(
        given,
        json_schema=schema if schema is None else await told(schema),
        choices=tuple(await told(given.choices)),
        stop=tuple(await told(given.stop)),
        prediction=await told(given.prediction, "content"),
        word_bias={await told(word): bias for word, bias in given.word_bias.items()},
        draft=await told(given.draft),
    )
