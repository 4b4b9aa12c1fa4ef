"""Assistants that ask an agent meet its rules."""

import pytest

from agents.models import Agent
from tests.mcp.conftest import MODERN, QUESTION
from tests.support.model_server import Script

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
KEY = "ghp_" + "a1B2c3D4e5" * 4


def test_a_blocked_question_and_a_masked_answer(visit, served, handbook, key):
    rules = [
        {"name": "Keys", "kind": "secrets", "places": ["input"], "action": "block"},
        {"name": "Mails", "kind": "personal_data", "places": ["output"], "action": "mask"},
    ]
    Agent.objects.filter(slug="clerk").update(guardrails=rules)
    served.default = Script(text="Write to bob@example.org.", token_size=4)

    async def work(client):
        blocked = await client.call_tool("ask_agent", {"question": f"Use {KEY}", "agent": "clerk"})
        count = len(served.chat_requests)
        masked = await client.call_tool("ask_agent", {"question": QUESTION, "agent": "clerk"})
        return blocked.structured_content, count, masked.structured_content

    blocked, count, masked = visit(key, work, MODERN)
    assert "Keys" in blocked["answer"]
    assert count == 0
    assert masked["answer"] == "Write to [EMAIL]."
    assert "Mails" in masked["notice"]
