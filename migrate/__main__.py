"""`python -m migrate` is `isb-migrate`."""

from migrate.cli import entry

entry()
