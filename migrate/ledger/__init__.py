"""Runs, batches and their states, on ledger.db of the run folder."""
