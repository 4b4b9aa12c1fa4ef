"""Jobs of every kind of ill will, for real workers to run; each says first that it is there."""

import ctypes
import os
import re
import signal
import time
from pathlib import Path

HERE = "tests.support.tasks."


def note(context, path):
    """The effect that is counted: a line in a file."""
    with Path(path).open("a") as file:
        file.write(f"{context.job.pk}\n")


def listen(context):
    """Goes on for ever, and checks all the time whether it should."""
    context.progress("here", 0, 1)
    while True:
        context.check()
        time.sleep(0.05)


def sleep(context):
    """Goes on for ever and listens to nobody."""
    context.progress("here", 0, 1)
    time.sleep(3600)


def hang_in_c(context):
    """As `sleep`, inside a regular expression: no other thread of Python runs meanwhile."""
    context.progress("here", 0, 1)
    re.match(r"(a|aa)+$", "a" * 200 + "b")


def segfault(context):
    context.progress("here", 0, 1)
    ctypes.string_at(0)


def run_out_of_memory(context):
    """What the kernel does to the largest process."""
    context.progress("here", 0, 1)
    os.kill(os.getpid(), signal.SIGKILL)
