"""When and where defences are held: a plan in which nobody, and no room, is at two of them at once.

A first pass places the defence that has the fewest slots left, in the earliest of them. One that has none left takes
the place that costs least, and whatever is in its way is placed anew: the iterative forward search of Müller,
"Constraint-based Timetabling" (PhD thesis, Charles University in Prague, 2005), in which a place costs the more the
more often it made the same defences give way. Nothing is random, so the same problem has the same plan.

The search is not exhaustive. What it leaves over might fit a better plan, except where `is_impossible` says that it
could not be held even if it were the only one. Of everything left over it is said, slot by slot, what is in the way.
"""

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping

from projects.planning.board import Board, Place, Slots
from projects.planning.problem import Interval, Placement, Plan, Sitting

# The search ends after so many rounds for each defence that have not placed more than before.
PATIENCE = 10


def plan(
    sittings: Iterable[Sitting],
    slots: Iterable[Interval],
    rooms: Iterable[str],
    *,
    blocked_people: Mapping[str, Collection[Interval]],
    blocked_rooms: Mapping[str, Collection[Interval]],
) -> Plan:
    """Place defences into slots and rooms, outside the times at which their people and the rooms are blocked.

    Slots may overlap. The order in which anything comes decides nothing. Raises ValueError where a defence comes twice.
    """
    board = Board(sittings, Slots(slots), sorted(set(rooms)), blocked_people, blocked_rooms)
    search = _Search(board)
    search.run()
    return Plan(
        placements=tuple(
            Placement(sitting=key, slot=board.slots.all[slot], room=board.rooms[room])
            for key, (slot, room) in sorted(board.places.items())
        ),
        left_over=tuple(board.explain(key) for key in board.sittings if key not in board.places),
        rounds=search.rounds,
    )


class _Search:
    def __init__(self, board: Board) -> None:
        self.board = board
        self.rounds = 0
        # How often one defence at a place made another give up its own.
        self._given_up: Counter[tuple[str, Place, str]] = Counter()

    def run(self) -> None:
        waiting = {key for key in self.board.sittings if not self.board.is_impossible(key)}
        self._improve(deque(self._place_by_need(waiting)))
        for key in sorted(waiting - self.board.places.keys()):
            self._place(key)

    def _place_by_need(self, waiting: set[str]) -> list[str]:
        """Place what has the fewest slots left first; return what has none when its turn comes."""
        demand = Counter(person for key in waiting for person in self.board.sittings[key].people)
        wanted = {key: sum(demand[person] for person in self.board.sittings[key].people) for key in waiting}
        unplaced, stuck = set(waiting), []
        while unplaced:
            key = min(unplaced, key=lambda one: (self.board.left(one).bit_count(), -wanted[one], one))
            unplaced.remove(key)
            if not self._place(key):
                stuck.append(key)
        return stuck

    def _place(self, key: str) -> bool:
        place = self.board.earliest(key)
        if place is not None:
            self.board.put(key, place)
        return place is not None

    def _improve(self, queue: deque[str]) -> None:
        """Place what is stuck in the place of others, which queue up in turn, and keep the fullest plan of all."""
        best, fruitless = dict(self.board.places), 0
        while queue and fruitless < PATIENCE * len(self.board.sittings):
            self.rounds += 1
            queue.extend(self._force(queue.popleft()))
            fruitless += 1
            if len(self.board.places) > len(best):
                best, fruitless = dict(self.board.places), 0
        self._restore(best)

    def _force(self, key: str) -> list[str]:
        """Put a defence where that costs least; return those that had to give way."""

        def cost(place: Place, others: frozenset[str]) -> int:
            return sum(1 + self._given_up[key, place, other] for other in others)

        _cost, place, others = min((cost(place, others), place, others) for place, others in self.board.contested(key))
        for other in others:
            self.board.lift(other)
            self._given_up[key, place, other] += 1
        self.board.put(key, place)
        return sorted(others)

    def _restore(self, places: dict[str, Place]) -> None:
        for key in list(self.board.places):
            self.board.lift(key)
        for key, place in places.items():
            self.board.put(key, place)
