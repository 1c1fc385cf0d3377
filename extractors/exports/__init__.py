"""What readers of broker exports share: a file, or a folder of them, cut into messages of queues.

A kind brings a `Format`: how a file is cut into units, which files it
means, and how to count it by other means. Everything else is here.
"""

from extractors.exports.store import ExportStore
from extractors.exports.unit import Format, Unit

__all__ = ["ExportStore", "Format", "Unit"]
