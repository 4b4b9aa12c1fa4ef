"""What a process that reads a file may do: read that file and its own program, and compute.

Linux enforces it: Landlock for files (nothing written, made or removed; keys and other documents
not even opened), a seccomp filter for system calls (no sockets, so no network; no programs, no
processes). Both work without privileges and hold for whatever a malformed file makes a parser do.
Elsewhere, and on older kernels, the limits of `resource` are all there is; `confine` says so.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.prefix, sys.base_prefix, "/usr", "/lib", "/lib64", *(
    str(ROOT / name) for name in ("knowledge", "platform")
))  # fmt: skip

# linux/prctl.h, linux/seccomp.h, linux/landlock.h, linux/filter.h
SET_NO_NEW_PRIVILEGES, SET_SECCOMP, MODE_FILTER = 38, 22, 2
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
READ_FILE, READ_FOLDER = 1 << 2, 1 << 3
# Everything a kernel's version of Landlock can forbid, from its first to its third.
HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1}
LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, RETURN = 0x20, 0x15, 0x35, 0x06
ALLOW, KILL, NOT_PERMITTED = 0x7FFF0000, 0x80000000, 0x00050001
X32 = 0x40000000  # a second set of numbers on x86-64

# machine: its audit number, then socket, socketpair, connect, bind, execve, execveat, fork, vfork,
# clone, clone3, ptrace, process_vm_readv, process_vm_writev, kill, io_uring_setup, bpf, unshare,
# setns, mount, keyctl; other ways to a signal: tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo,
# pidfd_open, pidfd_send_signal; what Landlock leaves open: truncate (before its third version),
# chmod, fchmod, fchmodat, fchmodat2, chown, fchown, lchown, fchownat. As far as it has them.
FORBIDDEN = {
    "x86_64": (0xC000003E, (
        41, 53, 42, 49, 59, 322, 57, 58, 56, 435, 101, 310, 311, 62, 425, 321, 272, 308, 165, 250,
        200, 234, 129, 297, 434, 424, 76, 90, 91, 268, 452, 92, 93, 94, 260,
    )),
    "aarch64": (0xC00000B7, (
        198, 199, 203, 200, 221, 281, 220, 435, 117, 270, 271, 129, 425, 280, 97, 268, 40, 219,
        130, 131, 138, 240, 434, 424, 45, 52, 53, 452, 55, 54,
    )),
}  # fmt: skip


def confine(*readable: Path, program: Iterable[str] = PROGRAM) -> frozenset[str]:
    """Give up everything but reading these files, folders with all that is in them, and the
    `program`, for ever; return what the system enforces of `files` and `calls`."""
    if sys.platform != "linux":
        return frozenset()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return frozenset()
    held = set()
    if _confine_files(libc, readable, program):
        held.add("files")
    if _confine_calls(libc):
        held.add("calls")
    return frozenset(held)


def _confine_files(libc: ctypes.CDLL, readable: Iterable[Path], program: Iterable[str]) -> bool:
    version = libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    handled = struct.pack("=Q", HANDLED[min(version, 3)])
    rules = libc.syscall(CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if rules < 0:
        return False
    try:
        for path in readable:
            inside = READ_FOLDER if path.is_dir() else 0
            _allow(libc, rules, [str(path)], READ_FILE | inside)
        _allow(libc, rules, program, READ_FILE | READ_FOLDER)
        return bool(libc.syscall(RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, paths: Iterable[str], access: int) -> None:
    for path in paths:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there needs no permission
        try:
            libc.syscall(ADD_RULE, rules, 1, struct.pack("=Qi", access, place), 0)
        finally:
            os.close(place)


def _confine_calls(libc: ctypes.CDLL) -> bool:
    known = FORBIDDEN.get(platform.machine())
    if known is None:
        return False
    program = _filter(*known)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HP", len(program) // 8, ctypes.addressof(buffer))
    return bool(libc.prctl(SET_SECCOMP, MODE_FILTER, header, 0, 0) == 0)


def _filter(machine: int, calls: tuple[int, ...]) -> bytes:
    """A classic BPF program over `struct seccomp_data` (call number, machine, …)."""
    refuse = len(calls) + 1  # how far it is from the first test of a number to the refusal
    steps = [
        (LOAD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, machine),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, 0),
        (JUMP_GREATER_EQUAL, refuse, 0, X32),
        *((JUMP_EQUAL, refuse - 1 - at, 0, call) for at, call in enumerate(calls)),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, NOT_PERMITTED),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
