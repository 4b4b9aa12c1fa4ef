"""The servers at which people sign in themselves, and where these send them back to."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse

from accounts.access import require_visible
from accounts.models import User
from agents.mcp.types import address_of
from agents.mcp_client.models import McpServer


class Signing:
    def visible_to(self, user: Any) -> Any:
        servers = McpServer.objects.visible_to(user).filter(is_enabled=True, is_local=False)
        return servers.filter(auth=McpServer.Auth.OAUTH)

    editable_by = visible_to


def find_signing(user: User, server_id: UUID) -> McpServer:
    """Raises Http404."""
    found: McpServer = require_visible(Signing(), user, server_id)
    return found


def way_back(request: HttpRequest) -> str:
    return f"{address_of(request)}{reverse('connections:back')}"
