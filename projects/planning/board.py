"""The problem in numbers, and the places that are given: slots and rooms by number, sets of slots as bits."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta

from projects.planning.problem import Interval, LeftOver, Obstacle, Reason, Sitting

NOBODY: frozenset[str] = frozenset()
# The numbers of a slot and a room.
Place = tuple[int, int]


class Slots:
    """The slots by number, from the earliest; sets of them are the bits of an integer."""

    def __init__(self, slots: Iterable[Interval]) -> None:
        self.all = sorted(set(slots))
        self._starts = [slot.starts_at for slot in self.all]
        self._longest = max((slot.ends_at - slot.starts_at for slot in self.all), default=timedelta())
        self.overlapping = [self.touched([slot]) for slot in self.all]

    def touched(self, intervals: Iterable[Interval]) -> int:
        """Return the slots that share an instant with any of these."""
        found = 0
        for one in intervals:
            first = bisect_left(self._starts, one.starts_at - self._longest)
            for number in range(first, bisect_left(self._starts, one.ends_at)):
                if self.all[number].ends_at > one.starts_at:
                    found |= 1 << number
        return found

    def lasting(self, duration: timedelta) -> int:
        """Return the slots that are long enough."""
        return sum(1 << number for number, slot in enumerate(self.all) if slot.ends_at - slot.starts_at >= duration)


def _numbers(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


class Agenda:
    """When a person or a room is free, and which defences have them in which slots."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.taken = 0
        self._by_slot: dict[int, frozenset[str]] = {}

    def at(self, slot: int) -> frozenset[str]:
        return self._by_slot.get(slot, NOBODY)

    def take(self, slots: int, sitting: str) -> None:
        self.taken |= slots
        for slot in _numbers(slots):
            self._by_slot[slot] = self.at(slot) | {sitting}

    def release(self, slots: int, sitting: str) -> None:
        for slot in _numbers(slots):
            self._by_slot[slot] = self.at(slot) - {sitting}
            if not self._by_slot[slot]:
                self.taken &= ~(1 << slot)


class Board:
    """The problem in numbers, and the places that are given."""

    def __init__(
        self,
        sittings: Iterable[Sitting],
        slots: Slots,
        rooms: list[str],
        blocked_people: Mapping[str, Collection[Interval]],
        blocked_rooms: Mapping[str, Collection[Interval]],
    ) -> None:
        ordered = sorted(sittings, key=lambda one: one.key)
        self.sittings = {one.key: one for one in ordered}
        if len(self.sittings) < len(ordered):
            raise ValueError("A defence comes twice.")
        self.slots, self.rooms = slots, rooms
        self.places: dict[str, Place] = {}
        every = (1 << len(slots.all)) - 1
        self.people = {
            person: Agenda(every & ~slots.touched(blocked_people.get(person, ())))
            for person in sorted({person for one in ordered for person in one.people})
        }
        self._agendas = [Agenda(every & ~slots.touched(blocked_rooms.get(room, ()))) for room in rooms]
        self._suited = {one.key: self._suiting(one) for one in ordered}
        self._possible = {one.key: self._slots_of(one) for one in ordered}

    def _suiting(self, sitting: Sitting) -> list[int]:
        return [number for number, room in enumerate(self.rooms) if sitting.rooms is None or room in sitting.rooms]

    def _slots_of(self, sitting: Sitting) -> int:
        """Return the slots in which a defence could be held if it were the only one."""
        found = 0
        for room in self._suited[sitting.key]:
            found |= self._agendas[room].free
        for person in sitting.people:
            found &= self.people[person].free
        return found & self.slots.lasting(sitting.duration)

    def is_impossible(self, key: str) -> bool:
        return not self._possible[key]

    def left(self, key: str) -> int:
        """Return the slots in which a defence could be held beside those that are placed."""
        found = 0
        for room in self._suited[key]:
            found |= self._agendas[room].free & ~self._agendas[room].taken
        for person in self.sittings[key].people:
            found &= ~self.people[person].taken
        return found & self._possible[key]

    def earliest(self, key: str) -> Place | None:
        """Return the first place left for a defence."""
        slot = next(_numbers(self.left(key)), None)
        if slot is None:
            return None
        rooms = (number for number in self._suited[key] if self._is_open(number, slot))
        return slot, next(rooms)

    def _is_open(self, room: int, slot: int) -> bool:
        return bool((self._agendas[room].free & ~self._agendas[room].taken) >> slot & 1)

    def contested(self, key: str) -> Iterator[tuple[Place, frozenset[str]]]:
        """Yield every place that a defence could ever have, and which others are in its way there."""
        people = [self.people[person] for person in self.sittings[key].people]
        for slot in _numbers(self._possible[key]):
            busy = NOBODY.union(*(agenda.at(slot) for agenda in people))
            for room in self._suited[key]:
                if self._agendas[room].free >> slot & 1:
                    yield (slot, room), busy | self._agendas[room].at(slot)

    def put(self, key: str, place: Place) -> None:
        self.places[key] = place
        for agenda in self._agendas_of(key, place):
            agenda.take(self.slots.overlapping[place[0]], key)

    def lift(self, key: str) -> None:
        place = self.places.pop(key)
        for agenda in self._agendas_of(key, place):
            agenda.release(self.slots.overlapping[place[0]], key)

    def _agendas_of(self, key: str, place: Place) -> list[Agenda]:
        return [*(self.people[person] for person in self.sittings[key].people), self._agendas[place[1]]]

    def explain(self, key: str) -> LeftOver:
        """Say what keeps a defence out of each slot beside those that are placed."""
        obstacles = [
            one for number in range(len(self.slots.all)) for one in self._obstacles(self.sittings[key], number)
        ]
        return LeftOver(sitting=key, is_impossible=not self._possible[key], obstacles=tuple(obstacles))

    def _obstacles(self, sitting: Sitting, number: int) -> Iterator[Obstacle]:
        slot = self.slots.all[number]
        if slot.ends_at - slot.starts_at < sitting.duration:
            yield Obstacle(slot=slot, reason=Reason.SLOT_TOO_SHORT)
        for person in sorted(sitting.people):
            agenda = self.people[person]
            yield from _taken(slot, number, agenda, person, (Reason.PERSON_BLOCKED, Reason.PERSON_BUSY))
        suited = self._suited[sitting.key]
        if not suited:
            yield Obstacle(slot=slot, reason=Reason.NO_ROOM_SUITS)
        if not any(self._is_open(room, number) for room in suited):
            for room in suited:
                agenda = self._agendas[room]
                yield from _taken(slot, number, agenda, self.rooms[room], (Reason.ROOM_BLOCKED, Reason.ROOM_TAKEN))


def _taken(
    slot: Interval, number: int, agenda: Agenda, subject: str, reasons: tuple[Reason, Reason]
) -> Iterator[Obstacle]:
    blocked, busy = reasons
    if not agenda.free >> number & 1:
        yield Obstacle(slot=slot, reason=blocked, subject=subject)
    for other in sorted(agenda.at(number)):
        yield Obstacle(slot=slot, reason=busy, subject=subject, taken_by=other)
