"""A bus that is a JSON file of pieces: many of them, so that differences can be of every kind.

A registered adapter like any other; it can be provisioned and is never published to.
"""
