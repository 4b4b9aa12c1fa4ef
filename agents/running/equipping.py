"""Which tools a run has: those of its agent, if a model may answer that can call any."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agents.tools.registry import tools_of
from agents.tools.types import Tool
from agents.types import AgentTask
from gateway.controls import Capability
from gateway.labels import Demand, labels_of
from gateway.types import FindRoutes
from security.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Equipment:
    """`notice` says why there are none where the agent has some."""

    tools: Mapping[str, Tool] = field(default_factory=dict)
    notice: str = ""


NONE = Equipment()


async def equip(task: AgentTask, demands: Iterable[Demand], routes: FindRoutes) -> Equipment:
    """Asks nobody for anything where the agent has no tools."""
    if not task.agent.may_call:
        return NONE
    tools = await tools_of(task)
    labels = labels_of(tuple(demands))
    served = [route for route in await routes(task.agent.model_name) if labels <= route.labels]
    if tools and served and all(Capability.TOOLS in route.lacks for route in served):
        return Equipment(notice=Sentence("tools_unknown_to_model"))
    return Equipment(tools)
