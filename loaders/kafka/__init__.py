"""Kafka: a topic an off-ramp and lane, keys for order, a window a transaction.

Topics are `<prefix><off-ramp>.<lane>`. A record's key is its delivery's order key, and
its partition is computed here, so that whoever goes on with a run lands on the same one.
"""
