"""Buses: one folder a kind (connect, provision, publish, observe), one line here.

Values name the package; its `publish:Publisher`, `provision:Provisioner` and
`observe:Observer` are imported one by one, so that the witness never loads
the publisher.
"""

BUSES = {
    "sql": "loaders.sql",
}
