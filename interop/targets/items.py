"""A record while it is being worked on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from core.errors import DomainError
from interop.faults import Fault
from interop.models import ImportAction
from interop.sources.records import Record


@dataclass(slots=True, eq=False)
class Item:
    """A record, the row it concerns, and what is to become of that row.

    `values` and `initial` are Python values by field, references resolved to ids. `encoded` is what
    the record wants, in the form that is compared and remembered; `changes` names what of it is to
    be written into a row that exists.
    """

    record: Record
    position: int
    values: dict[str, Any] = field(default_factory=dict)
    initial: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    encoded: dict[str, Any] = field(default_factory=dict)
    row: Any = None
    changes: list[str] = field(default_factory=list)
    action: ImportAction = ImportAction.CREATE
    reasons: list[Fault] = field(default_factory=list)
    held: dict[str, Any] = field(default_factory=dict)
    remembered: dict[str, Any] | None = None
    has_identifier: bool = False
    object_id: UUID | None = None
    before: dict[str, Any] | None = None
    written: dict[str, int] = field(default_factory=dict)

    def reject(self, *faults: Fault) -> None:
        self.reasons.extend(faults)
        self.action = ImportAction.REJECTED

    def refuse_all(self, faults: Sequence[Fault]) -> None:
        """Reject the item for faults, if there are any."""
        if faults:
            self.reject(*faults)

    def refuse(self, error: DomainError) -> None:
        """Reject the item for what a service or the database says."""
        self.reject(*Fault.of(error))

    @property
    def is_rejected(self) -> bool:
        return self.action == ImportAction.REJECTED

    @property
    def changed_values(self) -> dict[str, Any]:
        """What is to be written into a row that exists, custom values under their own name."""
        changed = {name: self.values[name] for name in self.changes if name in self.values}
        custom = {name: value for name, value in self.custom.items() if f"custom_fields.{name}" in self.changes}
        return {**changed, "custom_fields": custom} if custom else changed

    @property
    def new_values(self) -> dict[str, Any]:
        """What a row that is created is to hold."""
        made = {**self.initial, **self.values}
        return {**made, "custom_fields": self.custom} if self.custom else made
