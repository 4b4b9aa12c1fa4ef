"""Which row each secret of servers and accounts is bound to."""

from agents.mcp_client.models import McpAccount, McpRevocation, McpServer
from security.secrets import SecretUnreadable, open_


def secret_context(server: McpServer) -> str:
    return f"mcp_server:{server.pk}"


def account_context(account: McpAccount) -> str:
    return f"mcp_account:{account.pk}"


def revocation_context(revocation: McpRevocation) -> str:
    return f"mcp_revocation:{revocation.pk}"


def client_secret_of(server: McpServer) -> str:
    """Empty where there is none, or none that can be read."""
    if not server.secret:
        return ""
    try:
        return open_(bytes(server.secret), secret_context(server))
    except SecretUnreadable:
        return ""
