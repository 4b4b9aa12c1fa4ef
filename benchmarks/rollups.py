"""How long usage takes to be added up, and how much memory: `python -m benchmarks.rollups`.

A month of calls (10 million unless `--rows` says otherwise) by 500 people in 20 teams, of five
models at three endpoints, in two currencies, is made in the database, a tenth first: the memory of
both runs is to be the same. Then what one more minute of calls costs, as the clock sees it.
"""

import argparse
import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.home import django_on_a_throwaway_home

MONTH = datetime(2026, 4, 1, tzinfo=UTC)
# Indexes are for people's questions: with them it is the filling that takes its time.
UNUSED = ("usage_model", "usage_endpoint", "usage_not_completed", "usage_repeated")
FILL = """
insert into gateway_usage (
    id, account_id, agent_id, team_ids, model_name, endpoint_name, purpose, currency, outcome,
    prompt_tokens, cached_tokens, completion_tokens, estimated_prompt_tokens, first_token_ms,
    total_ms, cost, created_at)
select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
        || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid,
       ('00000000-0000-0000-0000-' || lpad((person)::text, 12, '0'))::uuid,
       ('00000000-0000-0000-0001-' || lpad((person %% 7)::text, 12, '0'))::uuid,
       array[('00000000-0000-0000-0002-' || lpad((person %% 20)::text, 12, '0'))::uuid],
       'model-' || person %% 5, 'endpoint-' || person %% 3,
       case when n %% 10 = 0 then 'title' else 'chat' end,
       case when person %% 5 = 0 then 'EUR' else 'USD' end,
       case when n %% 50 = 0 then 'endpoint_timeout' else 'completed' end,
       1000 + n %% 700, n %% 600, 200, 1100, 300, 4000,
       case when n %% 20 > 0 then 0.000123456789 * (n %% 100) end, at
from (select n, (n * 7919) %% 500 as person,
             %(begin)s::timestamptz + n * (interval '30 days' / %(all)s) as at
      from generate_series(%(first)s::bigint, %(last)s::bigint) n) as made
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with django_on_a_throwaway_home():
        figures = measure(options.rows)
    for name, value in figures.items():
        print(f"{name:28} {value:>14,}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def measure(rows: int) -> dict[str, Any]:
    from django.db import connection

    from gateway.metering.partitions import USAGE
    from gateway.metering.rollups import roll_up
    from gateway.models import UsageDay, UsageHour

    USAGE.make(MONTH.year, MONTH.month)
    with connection.cursor() as cursor:
        cursor.execute(f"drop index {', '.join(UNUSED)}")
        cursor.execute(
            "select indexname from pg_indexes where tablename = 'gateway_usage'"
            " and indexdef ~ '\\((turn_id|account_id)\\)'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"drop index {name}")
    fill(1, rows // 10, rows)
    tenth = watched(roll_up)
    fill(rows // 10 + 1, rows, rows)
    whole = watched(roll_up)
    fill(rows + 1, rows + rows // 43_200, rows)
    minute = watched(roll_up)
    from django.db.models import Sum

    counted = [
        model.objects.aggregate(calls=Sum("calls"))["calls"] for model in (UsageHour, UsageDay)
    ]
    assert counted == [rows + rows // 43_200] * 2, counted
    return {
        "rows": rows,
        "roll_up_s": whole["seconds"],
        "of_it_at_work_s": whole["processor"],
        "hours": UsageHour.objects.count(),
        "days": UsageDay.objects.count(),
        "memory_of_a_tenth_mb": tenth["megabytes"],
        "memory_of_all_mb": whole["megabytes"],
        "one_more_minute_s": minute["seconds"],
    }


def fill(first: int, last: int, rows: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        values = {"first": first, "last": last, "begin": MONTH, "all": rows}
        cursor.execute(FILL, values)
        cursor.execute("vacuum analyze gateway_usage")


def watched(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds, and the most private memory that this process and its Postgres backend took more
    than before."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        places = [Path("/proc/self/status"), Path(f"/proc/{cursor.fetchone()[0]}/status")]
    before, most, is_over = private(places), 0, threading.Event()
    worked = processor_seconds(places)

    def watch() -> None:
        nonlocal most
        while not is_over.wait(0.05):
            most = max(most, private(places) - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    is_over.set()
    watcher.join()
    return {
        "seconds": round(seconds, 2),
        "processor": round(processor_seconds(places) - worked, 2),
        "megabytes": round(most / 1024, 1),
    }


def processor_seconds(places: list[Path]) -> float:
    """Of both, as a machine with nothing else to do would take them."""
    fields = [place.with_name("stat").read_text().rsplit(")", 1)[1].split() for place in places]
    ticks = sum(int(field[11]) + int(field[12]) for field in fields)
    return ticks / os.sysconf("SC_CLK_TCK")


def private(places: list[Path]) -> int:
    """Kilobytes."""
    found = 0
    for place in places:
        for line in place.read_text().splitlines():
            if line.startswith("RssAnon"):
                found += int(line.split()[1])
    return found


if __name__ == "__main__":
    main()
