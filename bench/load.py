"""Loading onto every bus that has a rival to be held against; see the module of each."""

import importlib

BUSES = ("load_embedded", "load_rabbitmq", "load_rabbitmq_stream", "load_jetstream", "load_kafka")


def main() -> None:
    """One bus after the other."""
    for name in BUSES:
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
