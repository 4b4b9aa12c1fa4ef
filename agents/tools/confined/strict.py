"""The narrowest confinement: compute, and write to what is open. For programs that models wrote.

A seccomp filter names the few system calls that are left; every other one is refused. So no file is
opened, listed or looked at, nothing is sent, started or signalled, and the filter stays. Linux on
x86-64 and aarch64 only; the kernel enforces it, without privileges and without containers.
"""

import ctypes
import os
import platform
import struct
import sys
from pathlib import Path

from knowledge.extraction.confinement import (
    ALLOW,
    FORBIDDEN,
    JUMP_EQUAL,
    KILL,
    LOAD,
    MODE_FILTER,
    NOT_PERMITTED,
    RETURN,
    SET_NO_NEW_PRIVILEGES,
    SET_SECCOMP,
)

STRICT = "strict"
ACTIONS = Path("/proc/sys/kernel/seccomp/actions_avail")

# read, write, writev, close, fstat, lseek; mmap, mprotect, munmap, mremap, madvise, brk; signals of
# one's own: rt_sigaction, rt_sigprocmask, rt_sigreturn, sigaltstack; futex, sched_yield, getpid,
# gettid; times: nanosleep, clock_nanosleep, restart_syscall, clock_gettime, clock_getres,
# gettimeofday, times, getrusage; getrandom; exit, exit_group.
LEFT = {
    "x86_64": (
        0, 1, 20, 3, 5, 8, 9, 10, 11, 25, 28, 12, 13, 14, 15, 131, 202, 24, 39, 186, 35, 230, 219,
        228, 229, 96, 100, 98, 318, 60, 231,
    ),
    "aarch64": (
        63, 64, 66, 57, 80, 62, 222, 226, 215, 216, 233, 214, 134, 135, 139, 132, 98, 124, 172, 178,
        101, 115, 128, 113, 114, 169, 153, 165, 278, 93, 94,
    ),
}  # fmt: skip


def can_isolate() -> bool:
    """Whether this machine says that it can; the process finds out, and refuses where it cannot."""
    if sys.platform != "linux" or platform.machine() not in LEFT:
        return False
    try:
        return {"errno", "allow"} <= set(ACTIONS.read_text().split())
    except OSError:
        return False


def isolate() -> frozenset[str]:
    """Give up every other call, for ever; empty where the system does not enforce it."""
    os.environ.clear()
    sys.path.clear()
    known = LEFT.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return frozenset()
    libc = ctypes.CDLL(None, use_errno=True)
    program = _filter(FORBIDDEN[platform.machine()][0], known)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    if libc.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return frozenset()
    if libc.prctl(SET_SECCOMP, MODE_FILTER, header, 0, 0) != 0:
        return frozenset()
    return frozenset({STRICT})


def _filter(machine: int, calls: tuple[int, ...]) -> bytes:
    """A classic BPF program over `struct seccomp_data`: what is not named is refused."""
    steps = [
        (LOAD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, machine),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
        *((JUMP_EQUAL, len(calls) - at, 0, call) for at, call in enumerate(calls)),
        (RETURN, 0, 0, NOT_PERMITTED),
        (RETURN, 0, 0, ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
