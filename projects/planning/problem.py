"""What a plan of defences is made from, and what it says."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """The time from one instant until another, which is no part of it."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        if self.ends_at <= self.starts_at:
            raise ValueError("An interval ends after it starts.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """A defence to be held: who has to be there, how long it takes, and which rooms suit it; None if all do."""

    key: str
    people: frozenset[str]
    duration: timedelta
    rooms: frozenset[str] | None = None


class Reason(StrEnum):
    SLOT_TOO_SHORT = "slot_too_short"
    PERSON_BLOCKED = "person_blocked"
    PERSON_BUSY = "person_busy"
    NO_ROOM_SUITS = "no_room_suits"
    ROOM_BLOCKED = "room_blocked"
    ROOM_TAKEN = "room_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """What keeps a defence out of a slot: the person or room that it is about, and the defence that has them then."""

    slot: Interval
    reason: Reason
    subject: str = ""
    taken_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A defence in its room and slot, which are its own even if it takes less time."""

    sitting: str
    slot: Interval
    room: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOver:
    """A defence that was not placed, and all that keeps it out of each slot; rooms do where none is left."""

    sitting: str
    is_impossible: bool
    obstacles: tuple[Obstacle, ...]

    def tally(self) -> list[tuple[Reason, str, int]]:
        """Return in how many slots each person or room is in the way and why, most first."""
        slots = {(one.reason, one.subject, one.slot) for one in self.obstacles}
        found = Counter((reason, subject) for reason, subject, _slot in slots)
        return [(*what, count) for what, count in sorted(found.items(), key=lambda item: (-item[1], item[0]))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What was placed and what was left over, in the order of keys, and after how many rounds of the search."""

    placements: tuple[Placement, ...]
    left_over: tuple[LeftOver, ...]
    rounds: int
