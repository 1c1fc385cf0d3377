"""How the interpreter and its allocator are set for this work, by whoever owns the process."""

import gc
import os
import sys


def attune() -> None:
    """For threads that want the interpreter for a moment only, and often; for many objects that
    live as long as a window and hold no cycles; and for columns of which the next are as large.

    To be called before Arrow is loaded: its allocator (mimalloc) reads the environment once. How
    many milliseconds it is to keep memory that was let go: by default so few that batches of large
    bodies get, and clear, their pages anew. And whether to ask for huge pages: the host of a
    virtual machine takes those back first, and is slow to give them again.
    """
    sys.setswitchinterval(0.0005)
    gc.set_threshold(20_000, 20, 20)
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", "10000")
    os.environ.setdefault("MIMALLOC_ALLOW_THP", "0")
