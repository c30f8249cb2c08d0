"""A timetable without clashes: every section gets a room and a pattern that neither room nor teacher has twice."""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from uuid import UUID


@dataclass(frozen=True)
class Pattern:
    """A weekly rhythm; the patterns of one timetable never overlap each other."""

    weekdays: tuple[int, ...]
    starts_at: time
    ends_at: time


def patterns() -> list[Pattern]:
    """Return nine rhythms of three fifty-minute meetings and six of two longer ones."""
    short = [Pattern((1, 3, 5), time(hour), time(hour, 50)) for hour in range(8, 17)]
    long = [
        Pattern((2, 4), time(start // 60, start % 60), time((start + 75) // 60, (start + 75) % 60))
        for start in range(8 * 60, 17 * 60, 90)
    ]
    return short + long


@dataclass(frozen=True)
class Seat:
    """Where and when a section meets, and who teaches it."""

    room_id: UUID
    room_capacity: int
    pattern: int
    faculty_id: UUID


class Timetable:
    """The rooms and teachers of one term, given out one section after another."""

    def __init__(self, rooms: Sequence[tuple[UUID, int]], chooser: random.Random) -> None:
        self._free = [(room, capacity, pattern) for room, capacity in rooms for pattern in range(len(patterns()))]
        chooser.shuffle(self._free)
        self._busy: defaultdict[UUID, set[int]] = defaultdict(set)

    def place(self, teachers: Sequence[UUID]) -> Seat | None:
        """Give a section a place that one of its teachers is free for; None when there is none left."""
        for index in range(len(self._free) - 1, -1, -1):
            room, capacity, pattern = self._free[index]
            for teacher in teachers:
                if pattern not in self._busy[teacher]:
                    self._busy[teacher].add(pattern)
                    del self._free[index]
                    return Seat(room_id=room, room_capacity=capacity, pattern=pattern, faculty_id=teacher)
        return None
