"""What is remembered about the person: a thing more, or a thing less, where they want memory."""

from typing import Annotated

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from pydantic import StringConstraints

from accounts.models import User
from agents.memory.errors import MemoryRefused
from agents.memory.models import LONGEST, Memory
from agents.memory.services import add_memory, forget_memory, remembers
from agents.memory.wishes import tidy
from agents.tools.registry import tool
from agents.tools.types import Effect, Taint, ToolCalling, ToolOutput, ToolRefused
from observability.patience import run_patiently
from security.text import storable

MOST_NAMED = 10
OF_THE_PERSON = frozenset({Taint.PRIVATE})

Fact = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=LONGEST)]


def _is_there() -> bool:
    return bool(settings.PARLEY_MEMORY)


@tool(
    title=_("Remember something"), effect=Effect.CHANGES, icon="memory", is_there=_is_there,
    may_use=remembers,
)  # fmt: skip
async def remember(calling: ToolCalling, text: Fact) -> ToolOutput:
    """Keep one fact about the person for later conversations, in a short sentence; only what they
    asked for or would want kept."""
    _require_memory(calling)
    said = await run_patiently(_add, calling.user, text)
    return ToolOutput(f"Remembered: {said}", {"kind": "memory", "text": said}, (), OF_THE_PERSON)


@tool(
    title=_("Forget something"), effect=Effect.CHANGES, icon="memory", is_there=_is_there,
    may_use=remembers,
)  # fmt: skip
async def forget(calling: ToolCalling, text: Fact) -> ToolOutput:
    """Delete one remembered fact, by its exact text."""
    _require_memory(calling)
    said = await run_patiently(_forget, calling.user, text)
    return ToolOutput(f"Forgotten: {said}", {"kind": "memory", "text": said}, (), OF_THE_PERSON)


def _require_memory(calling: ToolCalling) -> None:
    if not calling.task.has_memory or calling.task.is_temporary:
        raise ToolRefused("The person is not remembered in this conversation.")


def _add(user: User, text: str) -> str:
    _require_wish(user)
    try:
        return add_memory(user, text, Memory.Origin.ASKED).text
    except MemoryRefused as error:
        raise ToolRefused(str(error)) from None


def _forget(user: User, text: str) -> str:
    """Raises ToolRefused with what comes near, so that an approval names what is deleted."""
    _require_wish(user)
    wanted = tidy(storable(text)).casefold()
    known = list(Memory.objects.editable_by(user))
    for memory in known:
        if memory.text.casefold() == wanted:
            forget_memory(user, memory.pk)
            return memory.text
    words = set(wanted.split())
    near = sorted(known, key=lambda memory: -len(words & set(memory.text.casefold().split())))
    named = "".join(f"\n- {memory.text}" for memory in near[:MOST_NAMED])
    said = f"Nothing with exactly this text is remembered. There is:{named or ' none.'}"
    raise ToolRefused(said, ToolOutput(said, taints=OF_THE_PERSON))


def _require_wish(user: User) -> None:
    """As it is now: it may have been switched off since the run began."""
    current = User.objects.filter(pk=user.pk, is_active=True).first()
    if current is None or not remembers(current):
        raise ToolRefused("The person does not want to be remembered.")
