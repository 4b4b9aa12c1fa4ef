"""Whether this process has been told to stop: it finishes what it holds and takes nothing new."""

import threading

_stopping = threading.Event()


def start_draining() -> None:
    """Called once by the process's stop handler; `/ready` answers 503 from now on."""
    _stopping.set()


def is_draining() -> bool:
    """For long jobs and streams: hand back your lease, or end cleanly, when this turns true."""
    return _stopping.is_set()
