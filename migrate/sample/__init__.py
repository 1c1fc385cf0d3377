"""A made-up legacy estate: a message store, a spool, a plan, and the truth about every message.

Everything in it is synthetic. Names, marks, numbers and codes are drawn from
small lists that could not belong to anybody; footwear patterns are not the
national ones, which are not public.
"""
