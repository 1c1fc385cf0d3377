"""How the interpreter is set for this work, by whoever owns the process."""

import gc
import sys


def attune() -> None:
    """For threads that want the interpreter for a moment only, and often; and for many objects
    that live as long as a window and hold no cycles."""
    sys.setswitchinterval(0.0005)
    gc.set_threshold(20_000, 20, 20)
