"""What is counted of budgets."""

from prometheus_client import Counter

from observability.metrics import registry

budget_steps = Counter(
    "parley_budget_steps_total",
    "Steps of the ledger: reserved, settled, released, refused, failed, and by the clock settled "
    "or guessed.",
    ["step"],
    registry=registry,
)
