"""A first plan for a store somebody points at: recognise, sample, write, and let `check` judge.

What is proposed is safe as it stands: every message is archived, nothing is replayed, the bus is
an embedded one beside the plan. What was guessed is marked, what only people can say is asked.
"""
