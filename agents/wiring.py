"""What the layers below, and the registries here, are told once all models are loaded: imported by
`agents.apps` when the app is ready, and by nobody else.

Some modules are only imported: declaring their tools and sentences is all that they do.
"""

from accounts.budgets.subjects import know_agents
from agents import spoken
from agents.budget_subjects import find_agents
from agents.delegating import tools as helpers
from agents.golden import find_with, prompt_of, reranker_of, supported_share
from agents.guardrails import wording
from agents.mcp_client import provider
from agents.mcp_client.local import local_servers
from agents.mcp_client.models import McpAccount, McpRevocation, McpServer
from agents.mcp_client.sealing import account_context, revocation_context, secret_context
from agents.tools import builtin
from knowledge.quality.asking import answered_by
from knowledge.quality.fingerprints import RERANKER, tell
from security.resealing import keeps_secrets

DECLARING = (spoken, wording, builtin)  # so that every process has their words and tools


def wire() -> None:
    """Twice is once. Raises ImproperlyConfigured for a malformed file of the operator's."""
    know_agents(find_agents)
    provider.register()
    helpers.register()
    local_servers()
    keeps_secrets(McpServer, secret_context)
    keeps_secrets(McpAccount, account_context)
    keeps_secrets(McpRevocation, revocation_context)
    answered_by(supported_share, find_with)
    tell("prompt", prompt_of)
    tell(RERANKER, reranker_of)
