"""A plan as an AsyncAPI document: what its consumers may expect on the new bus."""

from migrate.plan.catalogue.document import document, document_bytes

__all__ = ["document", "document_bytes"]
