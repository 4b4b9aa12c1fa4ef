"""Values of the client: whom to ask, for what, and what came back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy

from agents.tools.types import TellProgress, untold

if TYPE_CHECKING:
    from agents.mcp_client.local import Command

NOT_BEGUN = gettext_lazy("This is not the answer to what you began. Connect again.")


@dataclass(frozen=True, slots=True)
class Address:
    """A server as it is spoken to: at `url`, or as a `command` on this machine. What stands in
    `headers` is secret."""

    name: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    command: "Command | None" = None


@dataclass(frozen=True, slots=True)
class Heard:
    """The result of a call: words of somebody else. `is_error` where the tool says that it failed;
    `structured` is what programs read, None where there is none."""

    text: str
    is_error: bool = False
    structured: Any = None
    named: tuple[Mapping[str, str], ...] = ()  # pictures and resources, which nobody loaded


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call of a tool by its own name, whose definition must have this pin."""

    tool: str
    pin: str
    arguments: Mapping[str, Any]
    seconds: float
    tell: TellProgress = untold


class ServerTrouble(Exception):
    """A server cannot be used at the moment. The text is ours, for people and models; `said` is
    what the server said about it, which nobody answers for."""

    def __init__(
        self, text: str, said: str = "", *, needs_sign_in: bool = False, is_refused: bool = False
    ) -> None:
        super().__init__(text)
        self.said = said
        self.needs_sign_in = needs_sign_in  # by the person, with their account
        self.is_refused = is_refused  # what we showed to be let in


class DefinitionChanged(Exception):
    """The tool is not the one any more that was approved; `definition` is what it is now, None
    where it is gone."""

    def __init__(self, definition: Mapping[str, Any] | None) -> None:
        super().__init__()
        self.definition = definition
