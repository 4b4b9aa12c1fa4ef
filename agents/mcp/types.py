"""What a tool is, who calls it, and what it says."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from pydantic import BaseModel, ConfigDict

from accounts.tokens import Scope
from agents.openai.callers import Call

Tell = Callable[[int, str], Awaitable[None]]  # how far it is, and what was said since


class ToolRefused(Exception):
    """A call that cannot be answered; the text says why, to the model that called."""


class Arguments(BaseModel):
    """What a tool takes; a name that it does not know is refused, never dropped."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Visit:
    """One call of a tool: of whom, by which request, and how it tells that it is under way."""

    request: HttpRequest
    call: Call
    tell: Tell

    def link(self, document_id: UUID, start: int = 0, end: int = 0) -> str:
        """Where people read these words in their document."""
        place = reverse("knowledge:document", args=[document_id])
        span = f"?{urlencode({'start': start, 'end': end})}#passage" if end else ""
        return f"{address_of(self.request)}{place}{span}"


@dataclass(frozen=True, slots=True)
class Said:
    """The answer of a tool, for models that read and for programs that parse."""

    text: str
    content: BaseModel


@dataclass(frozen=True, slots=True)
class Tool:
    """`scopes`: one of them is enough; `takes` and `gives` are its schemas, `run` is what it does.

    It is always `async`: a tool in a thread of the SDK's would keep the process from ending.
    """

    name: str
    title: str
    description: str
    scopes: tuple[Scope, ...]
    takes: type[Arguments]
    gives: type[BaseModel]
    run: Callable[[Visit, Any], Awaitable[Said]]

    def is_open_to(self, scopes: Collection[str]) -> bool:
        """Whether a token with these scopes may call it; one without any may do everything."""
        return not scopes or bool(set(scopes) & set(self.scopes))


def address_of(request: HttpRequest) -> str:
    """The site as the world knows it, without a slash at the end."""
    return str(settings.PARLEY_URL or request.build_absolute_uri("/")).rstrip("/")
