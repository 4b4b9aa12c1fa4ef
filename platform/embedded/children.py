"""Child processes that are kept running: their output prefixed, restarted when they die."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from selectors import EVENT_READ, BaseSelector
from typing import IO

from embedded.back_off import BackOff
from embedded.console import DIM, is_terminal, paint, say, say_warning
from embedded.home import REPOSITORY
from embedded.tether import PARENT_VARIABLE, spawn

PIPE_BYTES = 65536


@dataclass
class Child:
    """`manage.py <arguments>`, restarted with growing pauses for as long as it is wanted."""

    name: str
    arguments: list[str]
    process: "subprocess.Popen[bytes] | None" = None
    back_off: BackOff = field(default_factory=BackOff)
    last_line: str = ""
    _rest: bytes = field(default=b"", repr=False)

    def start(self, selector: BaseSelector) -> None:
        """Start it; what it prints is read by `pump` when `selector` says so."""
        mark = {PARENT_VARIABLE: str(os.getpid()), "PARLEY_PROCESS": self.name}
        self.process = spawn(
            [sys.executable, str(REPOSITORY / "manage.py"), *self.arguments],
            signal.SIGTERM,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | mark,
        )
        self.back_off.note_start()
        output = self._output()
        os.set_blocking(output.fileno(), False)
        selector.register(output, EVENT_READ, self)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def bury(self, selector: BaseSelector) -> int:
        """Take in what a dead child left; returns its exit status and plans the restart."""
        assert self.process is not None
        self.pump()
        output = self._output()
        selector.unregister(output)
        output.close()
        status = self.process.returncode
        self.back_off.note_death()
        self.process = None
        return status

    def send(self, number: signal.Signals) -> None:
        if self.is_running():
            assert self.process is not None
            self.process.send_signal(number)

    def pump(self) -> None:
        """Print the complete lines that have arrived, each under the child's name."""
        try:
            while chunk := self._output().read(PIPE_BYTES):
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                for line in lines:
                    self._print(line.decode(errors="replace"))
        except BlockingIOError:
            return

    def _print(self, line: str) -> None:
        if line.strip():
            self.last_line = line
        prefix = paint(f"{self.name:<7}│ ", DIM) if is_terminal() else ""
        try:
            say(prefix + line)
        except BrokenPipeError:  # nobody reads any more: go on without a voice
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _output(self) -> IO[bytes]:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout


def describe_exit(name: str, status: int) -> str:
    if status < 0:
        return f"{name} was ended by {signal.Signals(-status).name}"
    return f"{name} ended with status {status}"


def warn_of_restart(child: Child, status: int) -> None:
    pause = child.back_off.seconds_left()
    say_warning(f"{describe_exit(child.name, status)}; it starts again in {pause:.1f} s")
