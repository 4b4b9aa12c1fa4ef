"""What the benchmark of lists fills: every table of agents that grows with use, with rows that the
product can read."""

import pytest
from django.apps import apps

from agents.approvals.models import Approval
from agents.approvals.services import list_approvals
from agents.mcp_client.models import McpTool
from agents.mcp_client.shown import shown_tools
from benchmarks import full_house

pytestmark = pytest.mark.django_db(transaction=True)
OF_AGENTS = [label for label in full_house.TABLES if label.startswith("agents.")]
FEW = {  # or as many as there are of something else
    "Agent", "AgentPicture", "InstalledGuardrail", "Measurement", "Memory", "ModelPrice",
    "PolicyRule", "Publication", "Saving", "SavedPrompt", "Attention", "McpRevocation",
}  # fmt: skip


def test_every_table_of_agents_is_filled(monkeypatch):
    monkeypatch.setattr(full_house, "rows_of", lambda _label, _rows: 40)
    full_house.fill(40, ["accounts.User", *OF_AGENTS])
    for label in OF_AGENTS:
        assert apps.get_model(label).objects.count() == 40, label
    waiting = Approval.objects.select_related("owner").first()
    assert list(list_approvals(waiting.owner))
    assert shown_tools(McpTool.objects.first().server)


def test_no_table_that_grows_is_forgotten():
    made = {model.__name__ for model in apps.get_app_config("agents").get_models()}
    filled = {label.partition(".")[2] for label in OF_AGENTS}
    assert made - filled - FEW == set()
