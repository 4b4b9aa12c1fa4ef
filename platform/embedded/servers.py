"""The embedded Postgres and Redis while Parley runs: one that dies is started again."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from embedded import postgres, redis
from embedded.back_off import BackOff
from embedded.children import describe_exit
from embedded.console import say_done, say_warning
from embedded.errors import StartupError
from embedded.home import Home

HOPELESS_AFTER = 6  # deaths in a row, which takes some twenty seconds


@dataclass
class Server:
    """One running server; `launch` starts another in its place without waiting for it."""

    name: str
    process: "subprocess.Popen[bytes] | None"
    launch: Callable[[], "subprocess.Popen[bytes]"]
    is_ready: Callable[[int], bool]
    explain: Callable[[], str]
    stop: Callable[["subprocess.Popen[bytes]"], None]
    back_off: BackOff = field(default_factory=BackOff)
    is_awaited: bool = False

    def __post_init__(self) -> None:
        self.back_off.note_start()

    def look_after(self) -> None:
        """Start it again when it has died; to be called often, since it never waits.

        Raises `StartupError` when it does not stay up.
        """
        if self.process is None:
            if self.back_off.is_over():
                self._start()
        elif self.process.poll() is not None:
            self._bury(describe_exit(self.name, self.process.returncode))
        elif self.is_awaited and self.is_ready(self.process.pid):
            self.is_awaited = False
            say_done(self.name, "runs again")

    def _start(self) -> None:
        self.back_off.note_start()
        self.is_awaited = True
        try:
            self.process = self.launch()
        except OSError as problem:
            self._bury(f"{self.name} could not be started ({problem.strerror})")

    def _bury(self, what: str) -> None:
        self.process = None
        self.back_off.note_death()
        if self.back_off.failures >= HOPELESS_AFTER:
            raise StartupError(f"{what}, again and again. {self.explain()}")
        say_warning(f"{what}; it starts again in {self.back_off.seconds_left():.1f} s")

    def end(self) -> None:
        if self.process is not None:
            self.stop(self.process)


def watched_postgres(home: Home) -> Server:
    """Start Postgres; what an earlier one left is cleared first, then and at each restart."""

    def launch() -> "subprocess.Popen[bytes]":
        postgres.stop_leftover(home)
        return postgres.launch(home)

    postgres.stop_leftover(home)
    postgres.prepare(home)
    return Server(
        "Postgres",
        postgres.start(home),
        launch,
        lambda pid: postgres.is_ready(home, pid),
        lambda: postgres.explain(postgres.read_log(home), home),
        postgres.stop,
    )


def watched_redis(home: Home) -> Server:
    """Start Redis; it finds what was queued in its append-only file, then and at each restart."""
    redis.stop_leftover(home)
    return Server(
        "Redis",
        redis.start(home),
        lambda: redis.launch(home),
        lambda _pid: redis.answers(home),
        lambda: redis.explain(home),
        redis.stop,
    )
