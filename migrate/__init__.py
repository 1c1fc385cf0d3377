"""isb-migrate: moves what a legacy service bus still holds to its successor, and proves it."""

__version__ = "0.1.0"
