"""MetIP message formats: schemas by type and version, and the envelope around every message."""
