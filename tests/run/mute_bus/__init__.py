"""An embedded bus that cannot be asked what it holds, and loses answers when told to.

A registered adapter like any other, so that whole runs can be taken over it.
"""
