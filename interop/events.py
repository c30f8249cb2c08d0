"""What this app announces: steps of an import, and tables, that are a worker's part."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class ValidationRequested(Event):
    """Somebody wants to know what a file would do."""

    name: ClassVar[str] = "interop.import.validation_requested"

    job_id: UUID
    requested_by: UUID | None


@dataclass(frozen=True, kw_only=True)
class ApplicationRequested(Event):
    """Somebody wants a validated file in the records."""

    name: ClassVar[str] = "interop.import.application_requested"

    job_id: UUID
    requested_by: UUID | None


@dataclass(frozen=True, kw_only=True)
class ReversalRequested(Event):
    """Somebody wants what an import wrote out of the records."""

    name: ClassVar[str] = "interop.import.reversal_requested"

    job_id: UUID


@dataclass(frozen=True, kw_only=True)
class ExportRequested(Event):
    """Somebody wants a table."""

    name: ClassVar[str] = "interop.export.requested"

    export_id: UUID
