"""What rules did, in numbers; no label is anybody's words."""

from prometheus_client import Counter, Histogram

from observability.metrics import registry

outcomes = Counter(
    "parley_guardrails_total",
    "Texts in which a guardrail found something, or that it could not check.",
    ["kind", "place", "action", "outcome"],
    registry=registry,
)
seconds = Histogram(
    "parley_guardrail_seconds",
    "How long guardrails take that ask an endpoint or an embedder.",
    ["kind"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
    registry=registry,
)
