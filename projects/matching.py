"""Who gets which topic: a stable matching of students with topics that supervisors offer, the best one for students.

The rule is SPA-student of Abraham, Irving and Manlove, "Two algorithms for the Student-Project Allocation problem",
Journal of Discrete Algorithms 5 (2007) 73-90. Students rank topics; a topic takes so many students, and its supervisor
so many over all their topics. A supervisor prefers whom they ranked, in that order, then who has more merit, then whom
the lot favours: the SHA-256 of a seed and the student's key, so that whoever knows the seed can draw it again.

The outcome is stable: nobody prefers a topic whose place is free, or is taken by somebody whom its supervisor prefers
less. Among all stable outcomes each student has the best topic that any of them gives, so nobody gains by ranking other
than they wish. No choice is proposed twice: a matching takes at most one proposal for each choice.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import TypeVar

# How a supervisor ranks somebody, less is better: the place in their own ranking, then the standing among all.
Preference = tuple[int, int]


class Shortage(StrEnum):
    """What had no place left."""

    TOPIC = "topic_full"
    SUPERVISOR = "supervisor_full"


class Basis(StrEnum):
    """By what the last one admitted is ahead of somebody who was not."""

    RANKING = "ranking"
    MERIT = "merit"
    LOT = "lot"
    NO_PLACES = "no_places"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """Somebody who wants one of these topics, best first; more `merit` is better."""

    key: str
    choices: tuple[str, ...]
    merit: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A topic that takes so many applicants and is supervised by one person."""

    key: str
    supervisor: str
    places: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervisor:
    """Somebody who takes so many applicants; those of `ranking` before all others, best first."""

    key: str
    places: int
    ranking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A choice that was wanted more than what was given, and why it was not given.

    All `places` of what was full are held by applicants who are ahead; `last_admitted` is the one least so, by `basis`.
    """

    topic: str
    rank: int
    shortage: Shortage
    places: int
    basis: Basis
    last_admitted: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an applicant got, which is their choice number `rank` counted from 1, and every better choice.

    Whoever got nothing has neither, and missed all choices.
    """

    applicant: str
    topic: str | None
    rank: int | None
    missed: tuple[Missed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """The outcomes in the order of the applicants' keys, and how many proposals they took."""

    outcomes: tuple[Outcome, ...]
    proposals: int

    @property
    def given(self) -> dict[str, str]:
        """Each applicant's topic, without those who got none."""
        return {outcome.applicant: outcome.topic for outcome in self.outcomes if outcome.topic is not None}


def match(
    applicants: Iterable[Applicant], offers: Iterable[Offer], supervisors: Iterable[Supervisor], *, seed: str
) -> Matching:
    """Match applicants with offers, for one seed always the same, in whatever order they come.

    Raises ValueError where a key comes twice, somebody chooses or ranks one twice, places are fewer than none, or a
    choice or supervisor is not among those given. Who is ranked without applying is passed over.
    """
    tables = _Tables(_by_key(applicants), _by_key(offers), _by_key(supervisors), seed)
    rounds = _Rounds(tables)
    rounds.run()
    outcomes = tuple(_outcome(applicant, rounds) for applicant in tables.applicants.values())
    return Matching(outcomes=outcomes, proposals=rounds.proposals)


_Row = TypeVar("_Row", Applicant, Offer, Supervisor)


def _by_key(rows: Iterable[_Row]) -> dict[str, _Row]:
    ordered = sorted(rows, key=lambda row: row.key)
    found = {row.key: row for row in ordered}
    if len(found) < len(ordered):
        raise ValueError("A key comes twice.")
    return found


def _repeats(keys: tuple[str, ...]) -> bool:
    return len(set(keys)) < len(keys)


class _Tables:
    """What was given, checked, and how each supervisor ranks whom."""

    def __init__(
        self, applicants: dict[str, Applicant], offers: dict[str, Offer], supervisors: dict[str, Supervisor], seed: str
    ) -> None:
        self.applicants = applicants
        self.offers = offers
        self.supervisors = supervisors
        self._check()
        standing = sorted(
            applicants.values(),
            key=lambda one: (-one.merit, sha256(f"{seed}:{one.key}".encode()).digest(), one.key),
        )
        self._standing = {one.key: place for place, one in enumerate(standing)}
        self._ranked = {one.key: {key: place for place, key in enumerate(one.ranking)} for one in supervisors.values()}

    def _check(self) -> None:
        for one in self.applicants.values():
            if _repeats(one.choices) or not self.offers.keys() >= set(one.choices):
                raise ValueError(f"A choice of {one.key} comes twice, or is no topic.")
        for supervisor in self.supervisors.values():
            if supervisor.places < 0 or _repeats(supervisor.ranking):
                raise ValueError(f"{supervisor.key} has fewer places than none, or ranks somebody twice.")
        for offer in self.offers.values():
            if offer.places < 0 or offer.supervisor not in self.supervisors:
                raise ValueError(f"{offer.key} has fewer places than none, or no supervisor among those given.")

    def preference(self, supervisor: str, applicant: str) -> Preference:
        ranked = self._ranked[supervisor]
        return ranked.get(applicant, len(ranked)), self._standing[applicant]

    def basis(self, supervisor: str, ahead: str, behind: str) -> Basis:
        ranked = self._ranked[supervisor]
        if ahead in ranked:
            return Basis.RANKING
        return Basis.MERIT if self.applicants[ahead].merit > self.applicants[behind].merit else Basis.LOT


@dataclass(slots=True)
class _Places:
    """The places of one topic or supervisor, and who holds them, best first."""

    count: int
    held: list[tuple[Preference, str]] = field(default_factory=list)

    def take(self, preference: Preference, applicant: str) -> str | None:
        """Give somebody a place; return who holds one too many."""
        insort(self.held, (preference, applicant))
        return self.held[-1][1] if len(self.held) > self.count else None

    def leave(self, preference: Preference, applicant: str) -> None:
        self.held.remove((preference, applicant))

    def refuses(self, preference: Preference) -> bool:
        """Whether all places are held by those who are preferred."""
        return len(self.held) >= self.count and (not self.held or self.held[-1][0] < preference)


class _Rounds:
    """The proposals, from the first to the one that nothing is left to follow.

    A supervisor whose places are all held never has a free one again, and a topic loses its last holder only to such
    a supervisor. So whoever is refused once would be refused always, and goes on to the next choice.
    """

    def __init__(self, tables: _Tables) -> None:
        self.tables = tables
        self.of_topic = {key: _Places(offer.places) for key, offer in tables.offers.items()}
        self.of_supervisor = {key: _Places(one.places) for key, one in tables.supervisors.items()}
        self.topic_of: dict[str, str] = {}
        self.proposals = 0
        self._next = dict.fromkeys(tables.applicants, 0)

    def run(self) -> None:
        free = deque(self.tables.applicants)
        while free:
            left_without = self._propose(free.popleft())
            if left_without is not None:
                free.append(left_without)

    def _propose(self, applicant: str) -> str | None:
        """Try the next choices of somebody until one takes them; return who lost a place by it."""
        choices = self.tables.applicants[applicant].choices
        while self._next[applicant] < len(choices):
            topic = choices[self._next[applicant]]
            self._next[applicant] += 1
            self.proposals += 1
            if self.refusal(applicant, topic) is None:
                return self._admit(applicant, topic)
        return None

    def refusal(self, applicant: str, topic: str) -> Shortage | None:
        """Return what is full of applicants who are preferred to this one."""
        supervisor = self.tables.offers[topic].supervisor
        preference = self.tables.preference(supervisor, applicant)
        if self.of_topic[topic].refuses(preference):
            return Shortage.TOPIC
        return Shortage.SUPERVISOR if self.of_supervisor[supervisor].refuses(preference) else None

    def _admit(self, applicant: str, topic: str) -> str | None:
        supervisor = self.tables.offers[topic].supervisor
        preference = self.tables.preference(supervisor, applicant)
        self.topic_of[applicant] = topic
        beyond_topic = self.of_topic[topic].take(preference, applicant)
        beyond_supervisor = self.of_supervisor[supervisor].take(preference, applicant)
        # Whoever gives way in the topic gives the supervisor a place back.
        beyond = beyond_topic if beyond_topic is not None else beyond_supervisor
        if beyond is not None:
            self._dismiss(beyond, supervisor)
        return beyond

    def _dismiss(self, applicant: str, supervisor: str) -> None:
        preference = self.tables.preference(supervisor, applicant)
        self.of_topic[self.topic_of.pop(applicant)].leave(preference, applicant)
        self.of_supervisor[supervisor].leave(preference, applicant)


def _outcome(applicant: Applicant, rounds: _Rounds) -> Outcome:
    topic = rounds.topic_of.get(applicant.key)
    rank = None if topic is None else applicant.choices.index(topic) + 1
    better = applicant.choices if rank is None else applicant.choices[: rank - 1]
    missed = tuple(_missed(applicant.key, choice, number, rounds) for number, choice in enumerate(better, start=1))
    return Outcome(applicant=applicant.key, topic=topic, rank=rank, missed=missed)


def _missed(applicant: str, topic: str, rank: int, rounds: _Rounds) -> Missed:
    shortage = rounds.refusal(applicant, topic)
    assert shortage is not None, "A stable matching refuses every better choice."
    supervisor = rounds.tables.offers[topic].supervisor
    full = rounds.of_topic[topic] if shortage is Shortage.TOPIC else rounds.of_supervisor[supervisor]
    last = full.held[-1][1] if full.held else None
    basis = Basis.NO_PLACES if last is None else rounds.tables.basis(supervisor, last, applicant)
    return Missed(topic=topic, rank=rank, shortage=shortage, places=full.count, basis=basis, last_admitted=last)
