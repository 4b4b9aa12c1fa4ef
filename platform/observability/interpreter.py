"""The interpreter's settings for a process whose event loop nobody may keep waiting."""

import gc
import sys

SWITCH_SECONDS = 0.0005  # how long words wait for a thread that computes; else it is 5 ms
# New containers until the next collection, and collections until the next of older ones.
YOUNG, MIDDLE, OLD = 20_000, 20, 20


def tune() -> None:
    """Call it once everything is imported, before the loop begins.

    What was imported is there until the end, and walking through it takes longer than a frame:
    `gc.freeze` leaves it out of every collection from now on. What is made for a question is freed
    by its counts, so the rest is looked through less often.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
