"""Golden questions answered as the default agent does it, for the share of supported sentences.

The documents of the question's collection alone are searched; nothing is remembered or reused, and
an approved answer stands behind itself: the model is asked.
"""

from accounts.models import User
from accounts.payers import payer_of
from agents.loop import run_agent
from agents.models import Agent
from agents.prompt import RULES
from agents.types import AgentSpec, AgentTask, SupportChecked
from gateway.embedding.background import run
from knowledge.ingestion.steps import fingerprint
from knowledge.models import Collection


def supported_share(user: User, collection: Collection, question: str) -> float | None:
    """None where the answer says nothing that a source could support; raises GatewayError."""
    payer = payer_of(user, "other")
    task = AgentTask(
        AgentSpec(), user, question,
        collections=(collection.pk,), is_anew=True, team_ids=payer.team_ids, purpose="other",
    )  # fmt: skip
    checked = run(_checked(task))
    return checked.supported / checked.claims if checked and checked.claims else None


def prompt_of(collection: Collection) -> str:
    """What agents are told that answer from it: the house's rules, and their own instructions."""
    agents = Agent.objects.filter(collections=collection).order_by("pk")
    return fingerprint(RULES, *agents.values_list("instructions", flat=True))[:16]


async def _checked(task: AgentTask) -> SupportChecked | None:
    found = None
    async for step in run_agent(task):
        if isinstance(step, SupportChecked):
            found = step
    return found
