"""What this app announces: steps of an import that a worker is to take."""

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
