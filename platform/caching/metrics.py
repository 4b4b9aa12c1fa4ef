"""What Prometheus is told of caches, counted in the process that asks. Labels are caches' names."""

from prometheus_client import Counter

from observability.metrics import registry

requests = Counter(
    "parley_cache_requests_total",
    "Values that were asked for: near (in this process, also one just made), hit (in Redis), "
    "stale (used while it is made anew), shared (another process made it), or miss.",
    ["cache", "outcome"],
    registry=registry,
)
entries_evicted = Counter(
    "parley_cache_evictions_total",
    "Entries that went because their cache was full.",
    ["cache"],
    registry=registry,
)
