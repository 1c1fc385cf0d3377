"""The ordinary misery of a real store: each kind at least once, constant in number.

A case is a good message with something done to it, and what must become of it.
No case disturbs another or an ordinary message: each has an order key of its
own unless disturbing a successor is what it is for.
"""
