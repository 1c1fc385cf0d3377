"""An embedded bus that can tell what waits for its receivers: a file says how much.

A registered adapter like any other, so that whole runs can be taken over it.
"""
