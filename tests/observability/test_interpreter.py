"""A collection of everything that was imported would keep every answer waiting for a tenth of a
second: what is there when the loop begins is left out of all of them."""

import subprocess
import sys

CODE = """
import gc, sys
sys.path.insert(0, "platform")
from observability.interpreter import SWITCH_SECONDS, tune

imported = [[] for _ in range(1000)]
tune()
assert not any(item is imported[0] for item in gc.get_objects())
assert gc.get_freeze_count() >= 1000
assert sys.getswitchinterval() == SWITCH_SECONDS

class Ring:
    pass

import weakref
ring = Ring()
ring.itself = ring
gone = weakref.ref(ring)
del ring
fillers = [[] for _ in range(2 * gc.get_threshold()[0])]
assert gone() is None
"""


def test_what_is_imported_is_left_out_and_what_comes_later_is_still_freed() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True, timeout=60)
