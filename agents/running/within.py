"""A run as tools see it that begin another one in it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agents.authority.types import RunState
from agents.running.spending import Spending
from agents.types import Step
from gateway.labels import Demand


@dataclass(frozen=True, slots=True)
class HandOver:
    """The call by which a run was handed over, and to whom (`agents.delegating.handing`)."""

    call_id: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Within:
    """What it has come upon when the call is made, and what it takes from; `step` tells readers
    what happens meanwhile."""

    state: RunState
    demands: tuple[Demand, ...]
    spending: Spending
    step: Callable[[Step], None]
