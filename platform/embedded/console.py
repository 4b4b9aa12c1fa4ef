"""What `up` and `prepare` tell a person: one line a step, with colour only where it is seen."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

GREEN, RED, YELLOW, DIM, BOLD, PLAIN = (
    "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m", "\x1b[1m", "\x1b[0m",
)  # fmt: skip
NAME_WIDTH = 18


def is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def paint(text: str, *styles: str) -> str:
    return (
        "".join(styles) + text + PLAIN if is_terminal() and "NO_COLOR" not in os.environ else text
    )


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say_done(name: str, detail: str = "", seconds: float = 0.0) -> None:
    took = paint(f"{seconds:.1f} s", DIM) if seconds >= 0.1 else ""
    line = f"  {paint('✓', GREEN)} {name:<{NAME_WIDTH}} {detail}"
    say(f"{line}  {took}".rstrip())


def say_problem(text: str) -> None:
    """The one line of a failed start, on stderr."""
    sys.stderr.write(f"  {paint('✗', RED, BOLD)} {text}\n")
    sys.stderr.flush()


def say_warning(text: str) -> None:
    say(f"  {paint('!', YELLOW, BOLD)} {text}")


class Step:
    """One running step; `detail` is what its line says when it is done."""

    def __init__(self, name: str) -> None:
        self.detail = ""
        self._name = name
        self._shown_at = 0.0

    def show(self, progress: str) -> None:
        """How far it is: on a terminal only, ten times a second at most."""
        now = time.perf_counter()
        if is_terminal() and now - self._shown_at > 0.1:
            self._shown_at = now
            _show_for_now(f"\x1b[2K  {paint('…', DIM)} {self._name:<{NAME_WIDTH}} {progress}\r")


@contextmanager
def step(name: str) -> Iterator[Step]:
    """Show that something is being done, then the line that it is done and how long it took."""
    started = time.perf_counter()
    current = Step(name)
    if is_terminal():
        _show_for_now(f"  {paint('…', DIM)} {name}\r")
    try:
        yield current
    finally:
        if is_terminal():
            _show_for_now("\x1b[2K\r")
    say_done(name, current.detail, time.perf_counter() - started)


def _show_for_now(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
