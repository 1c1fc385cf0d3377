"""`python -m bench [NAME …]`: run the named benchmarks, or all of them."""

import importlib
import sys

from migrate.core.interpreter import attune

NAMES = (
    "extract",
    "spine",
    "activemq",
    "artemis",
    "load_embedded",
    "load_jetstream",
    "load_kafka",
    "load_rabbitmq",
    "load_rabbitmq_stream",
    "routing",
)
TOGETHER = ("load",)
"""Benchmarks that run others of these."""


def main(names: list[str]) -> int:
    """Each benchmark is a module with a `main()` that prints its own table."""
    known = (*NAMES, *TOGETHER)
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no benchmark named {', '.join(unknown)}; known: {', '.join(known)}")
        return 2
    attune()
    for name in names or NAMES:
        print(f"== {name}")
        importlib.import_module(f"bench.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
