"""What an author decides about an agent: the one list of it that drafts, versions and files share.

Not in it are the slug and the demanded labels: the first is what programs call it by, the second
are an administrator's.
"""

from collections.abc import Mapping
from typing import Any

from agents.models import Agent
from knowledge.models import Collection
from security.text import storable

WORDS = ("name", "emoji", "description", "instructions")
FIELDS = (
    *WORDS, "picture", "model_name", "reasoning_effort", "temperature", "decoding",
    "max_answer_tokens", "is_limited", "max_passages", "context_tokens", "understanding", "reuse",
    "reuse_seconds", "tools", "helpers", "limits", "guardrails", "starters",
)  # fmt: skip

Content = Mapping[str, Any]  # JSON: ids are text


def content_of(agent: Agent) -> dict[str, Any]:
    """As it is stored: `collections` are ids in a fixed order, so that equal content is equal."""
    found = {name: getattr(agent, name) for name in FIELDS}
    found["picture"] = str(agent.picture) if agent.picture else None
    found["collections"] = sorted(str(pk) for pk in agent.collections.values_list("pk", flat=True))
    return found


def put_content(agent: Agent, content: Content) -> None:
    """Into the row and its collections, in the caller's transaction.

    What an older version does not say yet stays as it is. Collections that are gone are left out;
    an agent that was limited to them stays limited.
    """
    said = [name for name in FIELDS if name in content]
    for name in said:
        value = content[name]
        setattr(agent, name, storable(value) if isinstance(value, str) else value)
    agent.save(update_fields=[*said, "updated_at"])
    if "collections" in content:
        agent.collections.set(Collection.objects.filter(pk__in=content["collections"]))
