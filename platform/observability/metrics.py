"""Prometheus metrics of all processes of this machine, answered by any web process.

With PROMETHEUS_MULTIPROC_DIR set (`up` and the container images set it) every process writes its
numbers to a shared folder; without it a process answers for itself. Labels are bounded: never a
user, a document or a question.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import redis
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from observability.doorbell import connection
from observability.heartbeats import seen

registry = CollectorRegistry()
PROCESS_KINDS = ("runner", "worker", "clock")

http_requests = Counter(
    "parley_http_requests_total", "HTTP requests.", ["method", "view", "status"], registry=registry
)
http_seconds = Histogram(
    "parley_http_request_seconds",
    "Time to the response's first byte.",
    ["view"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=registry,
)
http_in_flight = Gauge(
    "parley_http_requests_in_flight",
    "HTTP requests being answered.",
    multiprocess_mode="livesum",
    registry=registry,
)
connections_cut = Counter(
    "parley_connections_cut_total",
    "Connections that were ended for what the client did: too_large, slow_headers, slow_body, "
    "unread.",
    ["reason"],
    registry=registry,
)
refused_by_limit = Counter(
    "parley_rate_limited_total", "Refused by a rate limit.", ["action"], registry=registry
)
csp_violations = Counter(
    "parley_csp_violations_total",
    "Reports of browsers about what the content security policy stopped.",
    ["directive"],
    registry=registry,
)
clock_runs = Counter(
    "parley_clock_runs_total", "Runs of the clock's tasks.", ["task", "outcome"], registry=registry
)
swept = Counter(
    "parley_swept_total", "What sweepers put right or took away.", ["what"], registry=registry
)


class LiveState(Collector):
    """What is asked at the moment of the scrape: who is alive, how long the job queue is."""

    def collect(self) -> Iterable[Metric]:
        processes = GaugeMetricFamily(
            "parley_processes", "Processes seen in the last seconds.", labels=["kind"]
        )
        waiting = GaugeMetricFamily("parley_jobs_waiting", "Jobs rung and not yet taken.")
        up = GaugeMetricFamily("parley_redis_up", "Whether Redis answers.")
        try:
            for kind in PROCESS_KINDS:
                processes.add_metric([kind], len(seen(kind)))
            waiting.add_metric([], float(connection().llen("rq:queue:default")))
            up.add_metric([], 1)
        except redis.RedisError:
            up.add_metric([], 0)
        return [processes, waiting, up]


_live_collectors: list[Collector] = [LiveState()]


def render() -> bytes:
    """The exposition text of everything known here."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(registry) + generate_latest(_live())
    shared = CollectorRegistry()
    MultiProcessCollector(shared, path=folder)  # type: ignore[no-untyped-call]
    return generate_latest(shared) + generate_latest(_live())


def forget_process(pid: int) -> None:
    """Take a dead process's gauges out of the sums."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder and Path(folder).is_dir():
        mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]


def add_live(collector: Collector) -> None:
    """What else is asked at the moment of a scrape, by those above."""
    _live_collectors.append(collector)


def _live() -> CollectorRegistry:
    live = CollectorRegistry()
    for collector in _live_collectors:
        live.register(collector)
    return live
