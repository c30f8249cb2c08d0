"""What this app announces: work for a worker."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from core.events import Event


@dataclass(frozen=True, kw_only=True)
class ExportRequested(Event):
    """Somebody wants everything that the records say about a person."""

    name: ClassVar[str] = "privacy.export.requested"

    export_id: UUID


@dataclass(frozen=True, kw_only=True)
class ErasureApproved(Event):
    """Somebody is to be erased."""

    name: ClassVar[str] = "privacy.erasure.approved"

    erasure_id: UUID
