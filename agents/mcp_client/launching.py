"""Started as a program of its own: gives up what a local server does not need, then becomes it.

It ends when whoever started it does, also by kill -9 (Linux), gets no rights by programs that have
more, writes no core and no enormous file, and computes for so long and no longer.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
MOST_FILES = 256
MOST_WRITTEN = 64 * 1024 * 1024  # bytes of one file


def main(parent: str, seconds: str, *command: str) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != int(parent):
        return
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_FSIZE, MOST_WRITTEN),
        (resource.RLIMIT_NOFILE, MOST_FILES),
    ):
        with contextlib.suppress(ValueError, OSError):  # less is allowed already
            resource.setrlimit(what, (most, most))
    os.execvp(command[0], command)  # noqa: S606 - no shell


if __name__ == "__main__":
    main(*sys.argv[1:])
