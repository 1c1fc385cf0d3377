"""Fixed-width records: lines whose fields are found by place.

As text, a line each; a form feed or vertical tab within a line is data. Which
records a flow takes (`record_type`) is decided by their first characters, in
extractors.files.record_types.
"""

from extractors.files.text import cut

__all__ = ["cut"]
