"""A process that asks many times at once for the same, and says what it was told.

The answer is the number of the call that gave it, counted in Redis. `seconds=…` is how long a call
takes, `lease=…` how long it is waited for when the process that makes it is killed.
"""

import asyncio
import os
import sys

from django.conf import settings

settings.configure(
    REDIS_URL=os.environ["REDIS_URL"],
    SECRET_KEY=os.environ["SECRET_KEY"],
    PARLEY_CACHE_URLS=os.environ.get("PARLEY_CACHE_URLS", "").split(),
)

from caching import servers, shelf  # noqa: E402 - after the settings
from caching.decorator import cached  # noqa: E402
from observability.doorbell import connection  # noqa: E402

name, times, *given = sys.argv[1:]
options = dict(line.split("=") for line in given)
servers.PATIENCE_SECONDS = 20
shelf.LEASE_SECONDS = float(options.get("lease", 6))


@cached(name=name, ttl=600)
async def ask(question: str) -> int:
    number = int(connection().incr(f"{name}:calls"))
    await asyncio.sleep(float(options.get("seconds", 0.5)))
    return number


async def main() -> None:
    answers = await asyncio.gather(*(ask("the same") for _ in range(int(times))))
    print(*answers)


asyncio.run(main())
