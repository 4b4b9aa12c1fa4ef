from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AgentsConfig(AppConfig):
    name = "agents"
    verbose_name = _("Agents")

    def ready(self) -> None:
        from accounts.budgets.subjects import know_agents  # noqa: PLC0415 - models are loaded now
        from agents import spoken  # noqa: F401, PLC0415 - so that every process has its words
        from agents.budget_subjects import find_agents  # noqa: PLC0415
        from agents.delegating import tools as helpers  # noqa: PLC0415
        from agents.golden import (  # noqa: PLC0415
            find_with,
            prompt_of,
            reranker_of,
            supported_share,
        )
        from agents.guardrails import wording  # noqa: F401, PLC0415
        from agents.mcp_client import provider  # noqa: PLC0415
        from agents.mcp_client.local import local_servers  # noqa: PLC0415
        from agents.mcp_client.models import McpAccount, McpServer  # noqa: PLC0415
        from agents.mcp_client.sealing import account_context, secret_context  # noqa: PLC0415
        from agents.tools import builtin  # noqa: F401, PLC0415 - so that every process has them
        from knowledge.quality.asking import answered_by  # noqa: PLC0415
        from knowledge.quality.fingerprints import RERANKER, tell  # noqa: PLC0415
        from security.resealing import keeps_secrets  # noqa: PLC0415

        know_agents(find_agents)
        provider.register()
        helpers.register()
        local_servers()  # a malformed file stops the start
        keeps_secrets(McpServer, secret_context)
        keeps_secrets(McpAccount, account_context)
        answered_by(supported_share, find_with)
        tell("prompt", prompt_of)
        tell(RERANKER, reranker_of)
