"""What is imported, row by row, and what is remembered of it; what is exported.

ImportJob 1 --- * ImportRow
ImportJob 1 --- * ImportJobEvent
ImportedValue, ExternalIdentifier --- 0..1 any row of any resource, by its id

And what is taken out of the records: an ExportJob is one table that somebody asked for.
"""

from interop.models.exports import OPEN, ExportJob
from interop.models.identifiers import ExternalIdentifier, ImportedValue
from interop.models.jobs import IN_FORCE, ImportJob, ImportJobEvent, ImportKind, ImportState
from interop.models.rows import OVER_CAPACITY, ImportAction, ImportRow

__all__ = [
    "IN_FORCE",
    "OPEN",
    "OVER_CAPACITY",
    "ExportJob",
    "ExternalIdentifier",
    "ImportAction",
    "ImportJob",
    "ImportJobEvent",
    "ImportKind",
    "ImportRow",
    "ImportState",
    "ImportedValue",
]
