"""The tools that every installation has, one module a family; to import them registers them."""

from agents.tools.builtin import (
    calculator,
    chart,
    dates,
    git,
    knowledge,
    memory,
    python,
    tables,
    units,
    web,
)

__all__ = [
    "calculator",
    "chart",
    "dates",
    "git",
    "knowledge",
    "memory",
    "python",
    "tables",
    "units",
    "web",
]
