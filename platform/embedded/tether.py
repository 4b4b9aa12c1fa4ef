"""Children that end when their parent does, also when it was killed without a chance to say so."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

PR_SET_PDEATHSIG = 1
PARENT_VARIABLE = "PARLEY_PARENT"
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(
    command: list[str], death_signal: signal.Signals, **options: Any
) -> "subprocess.Popen[bytes]":
    """Start a child that gets `death_signal` when this process is gone (Linux: by the kernel).

    To the kernel the parent is the thread that calls this: it must live as long as the child may.
    It has a session of its own, so that the terminal's Ctrl-C reaches this process alone.
    """
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_tethered(death_signal),  # noqa: PLW1509 (no threads in `up`)
        **options,
    )


def _tethered(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child does before its program starts: after the change of user, that clears it.

    The check of the parent closes the gap in which the parent dies before the call.
    """
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def set_death_signal() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), death_signal)

    return set_death_signal


def follow(death_signal: signal.Signals) -> None:
    """Get `death_signal` when the process that started this one is gone (Linux)."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)


def follow_parent() -> None:
    """In a child of `up`: end like on SIGTERM when `up` is gone. Elsewhere: nothing.

    Linux children are tethered by the kernel already; other systems look once a second.
    """
    parent = int(os.environ.get(PARENT_VARIABLE, "0"))
    if not parent or _libc is not None:
        return

    def watch() -> None:
        nap = threading.Event()
        while os.getppid() == parent:
            nap.wait(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="follow-parent", daemon=True).start()
