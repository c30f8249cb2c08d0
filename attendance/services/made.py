"""A mark as it was made, and which of two stands: by where they come from, and when they were made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from attendance.models import Source
from attendance.models.records import RANKS

# By which a student was seen to come, and nobody has said anything yet.
ARRIVALS = (Source.QR, Source.READER)


@dataclass(frozen=True)
class Made:
    """A mark as it was made: with what, and by whom, when and from where. Without a code there is none."""

    code: UUID | None
    minutes_late: int | None = None
    source: str = ""
    marked_by: UUID | None = None
    marked_at: datetime | None = None
    client_id: UUID | None = None

    @property
    def rank(self) -> int:
        """How much it outranks; nothing outranks by not being there."""
        return RANKS[Source(self.source)] if self.source else -1

    def says(self, other: "Made") -> bool:
        """Whether it comes to the same as another one."""
        return (self.code, self.minutes_late) == (other.code, other.minutes_late)

    def saw_as_early(self, minutes: int | None) -> bool:
        """Whether a reader or a code has made it, of somebody who was no later than by these minutes."""
        return self.source in ARRIVALS and (self.minutes_late or 0) <= (minutes or 0)

    def replaces(self, standing: "Made") -> bool:
        """Whether it is written over another one.

        Of arrivals the earlier stays. What says the same is written if it outranks, so that the mark is as strong as
        whoever confirmed it, and if a person says it later, so that it is as late.
        """
        if self.rank != standing.rank:
            return self.rank > standing.rank
        if self.source in ARRIVALS and standing.saw_as_early(self.minutes_late):
            return False
        return not self.says(standing) or (self.source == Source.MANUAL and self._is_later(standing))

    def _is_later(self, other: "Made") -> bool:
        return self.marked_at is not None and (other.marked_at is None or self.marked_at > other.marked_at)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of a row that keeps it."""
        return {
            "code_id": self.code, "minutes_late": self.minutes_late, "source": self.source,
            "marked_by_id": self.marked_by, "marked_at": self.marked_at, "client_id": self.client_id,
        }  # fmt: skip
