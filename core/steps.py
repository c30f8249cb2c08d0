"""Rows that go from one status to another: what each may become, and the record of every step it took."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.db import models

from core import crud, snapshots
from core.errors import ConflictError
from core.visibility import Actor


@dataclass(frozen=True)
class Steps:
    """How the rows of one kind move.

    `history` is the model of the record, which refers to the row by `owner` and says from where to
    where in `from_<field>` and `to_<field>`. `subject` begins the sentence that a refusal says, such
    as "A term that is". A step belongs to the transaction of the service that takes it.
    """

    subject: str
    transitions: Mapping[str, Collection[str]]
    refusal: type[ConflictError]
    history: type[models.Model]
    owner: str
    field: str = "status"

    def take(
        self, row: models.Model, status: str, *, by: Actor | None, at: datetime, reason: str = "", **also: Any
    ) -> str:
        """Move a row to another status, write `also` with it, record the step and return the status before.

        Raises `refusal`, which says what is allowed, for a step that the row cannot take.
        """
        before: str = getattr(row, self.field)
        allowed = sorted(self.transitions[before])
        if status not in allowed:
            raise self.refusal(f"{self.subject} {before} cannot become {status}.", meta={"allowed": allowed})
        crud.update(row, {self.field: status, **also}, by=by)
        self.record(row, before, by=by, at=at, reason=reason)
        return before

    def record(
        self, row: models.Model, before: str, *, by: Actor | None, at: datetime, reason: str = "", **facts: Any
    ) -> None:
        """Put on record that a row came from one status to the one it has; the first comes from none, empty."""
        step = self._step(before, getattr(row, self.field), reason=reason, at=at)
        crud.create(self.history, {self.owner: row, "actor": by, **step, **facts})

    def restore(self, kept: Sequence[snapshots.Kept], *, by: Actor | None, at: datetime, reason: str) -> None:
        """Bring rows back exactly as they were kept; a status that is taken back is one more step."""
        owner = self.history._meta.get_field(self.owner)
        model = cast("type[models.Model]", owner.related_model)
        rows = [row for one in kept if one["of"] == model._meta.label_lower for row in snapshots.rows_of(one)]
        present = model._base_manager.filter(pk__in=[row["id"] for row in rows])
        before = {str(pk): status for pk, status in present.values_list("pk", self.field)}
        snapshots.restore(kept)
        self.history._base_manager.bulk_create(
            self.history(
                **{f"{self.owner}_id": row["id"], "actor_id": by.pk if by else None},
                **self._step(before[row["id"]], row[self.field], reason=reason, at=at),
            )
            for row in rows
            if before.get(row["id"], row[self.field]) != row[self.field]
        )

    def _step(self, before: str, after: str, *, reason: str, at: datetime) -> dict[str, Any]:
        return {f"from_{self.field}": before, f"to_{self.field}": after, "reason": reason, "happened_at": at}
