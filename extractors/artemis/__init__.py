"""What `artemis data exp` writes: every message of a stopped Apache ActiveMQ Artemis, as XML."""

from extractors.artemis.store import ArtemisExportStore

__all__ = ["ArtemisExportStore"]
