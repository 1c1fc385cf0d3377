"""The embedded bus and SQL outbox: one table `delivery` behind any SQLAlchemy URL.

A bus must be able to hold every fault the witness looks for, so the table has
no key but its position: a double, a stranger and a swap all fit in.
"""
