"""Everything that changes what texts are compared with: registering them, taking them back, and forgetting."""

from texts.services.keeping import KEPT, documents_due, forget_authors, purge_documents
from texts.services.registering import LONGEST, Entry, TextTooLongError, register, register_many, remove

__all__ = [
    "KEPT",
    "LONGEST",
    "Entry",
    "TextTooLongError",
    "documents_due",
    "forget_authors",
    "purge_documents",
    "register",
    "register_many",
    "remove",
]
