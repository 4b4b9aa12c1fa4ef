"""Servers that are programs on this machine: from the operator's file and from nowhere else.

The file that PARLEY_MCP_SERVERS_FILE names looks like other clients' `mcpServers`:

    {"mcpServers": {"time": {"command": "mcp-server-time", "args": ["--local-timezone=UTC"]}}}

No page, API or import can name a command: CVE-2026-40933, CVE-2026-22252, CVE-2026-30623.
"""

from pathlib import Path
from typing import Annotated

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agents.mcp_client.naming import LONGEST_SERVER, SERVER
from agents.mcp_client.types import ServerTrouble

SETTING = "PARLEY_MCP_SERVERS_FILE"
Name = Annotated[str, StringConstraints(pattern=rf"^{SERVER.pattern}$", max_length=LONGEST_SERVER)]


class Command(BaseModel):
    """How a server is started: no shell reads this. `env` is all that it gets besides PATH, HOME
    and the language; it may be secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    command: Annotated[str, StringConstraints(min_length=1)]
    args: tuple[str, ...] = ()
    env: dict[str, str] = Field({}, repr=False)
    cwd: str | None = None
    type: Annotated[str, StringConstraints(pattern="^stdio$")] = "stdio"


class _File(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    mcpServers: dict[Name, Command]  # noqa: N815 - as other clients write it


def local_servers() -> dict[str, Command]:
    """By their names; none where there is no file. Raises ImproperlyConfigured for one that cannot
    be read, without repeating what is in it."""
    path = settings.PARLEY_MCP_SERVERS_FILE
    if not path:
        return {}
    try:
        return _File.model_validate_json(Path(path).read_bytes()).mcpServers
    except OSError as error:
        raise ImproperlyConfigured(f"{SETTING}: {path}: {error.strerror}.") from None
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}"
            for one in error.errors(include_url=False, include_input=False)[:5]
        )
        raise ImproperlyConfigured(f"{SETTING}: {path}: {wrong}.") from None


def command_of(name: str) -> Command:
    """Raises ServerTrouble for one that the operator took out of the file."""
    try:
        return local_servers()[name]
    except KeyError:
        said = _("%(server)s is not in the operator's file of servers any more.")
        raise ServerTrouble(said % {"server": name}) from None
    except ImproperlyConfigured:
        raise ServerTrouble(_("The operator's file of servers cannot be read.")) from None
