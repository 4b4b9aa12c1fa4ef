"""Ends a process whose work gives no sign of life, also when it hangs in C code.

A thread of Python's could not: whoever hangs in a library may never let it run. The one that
`faulthandler` starts needs nothing of the interpreter.
"""

import faulthandler
from collections.abc import Iterator
from contextlib import contextmanager

_patience: list[float] = []


@contextmanager
def ended_when_stalled(seconds: float) -> Iterator[None]:
    """Inside, this process exits with its stack on stderr after `seconds` without a sign of life.

    Zero means never.
    """
    if not seconds:
        yield
        return
    _patience.append(seconds)
    give_sign_of_life()
    try:
        yield
    finally:
        _patience.pop()
        faulthandler.cancel_dump_traceback_later()


def give_sign_of_life() -> None:
    """Called by long work as it goes on; costs microseconds, and nothing where nobody waits."""
    if _patience:
        faulthandler.dump_traceback_later(_patience[-1], exit=True)
