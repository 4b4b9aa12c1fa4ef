"""What the page needs for attaching files: limits, types, and which models see images."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.conf import settings

from agents.models import Agent
from chat.attachments.services import MOST
from gateway.catalogue import list_chat_models
from knowledge.file_types import ATTACHABLE

register = template.Library()


@register.inclusion_tag("chat/_tray.html")
def attachment_tray(agents: Iterable[Agent]) -> dict[str, Any]:
    """The tray of the message box. One small query, for what can be told before sending."""
    models = {model.name: model for model in list_chat_models()}
    usual = next((model.has_vision for model in models.values() if model.is_default), False)
    seeing = {name: model.has_vision for name, model in models.items()}
    return {
        "max_megabytes": settings.PARLEY_MAX_ATTACHMENT_MB,
        "most": MOST,
        "endings": ",".join(sorted({e for kind in ATTACHABLE for e in kind.endings} - {""})),
        "sight": {
            "models": seeing,
            "agents": {agent.slug: seeing.get(agent.model_name, usual) for agent in agents},
        },
    }
