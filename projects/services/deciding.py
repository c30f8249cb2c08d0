"""What an allocation is decided by: who wants what, what is offered, and who comes before others."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any, TypedDict
from uuid import UUID

from core.errors import DomainError, InvalidError, raise_all
from projects.matching import Applicant, Matching, Offer, Supervisor, match
from projects.models import (
    AllocationRun,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
    SupervisorRole,
    Topic,
    TopicPreference,
)
from students.models import ProgramEnrollment


class Merit(TypedDict):
    """How much somebody deserves to come before others; more is better."""

    student: UUID
    merit: Decimal


class Ranking(TypedDict):
    """Whom a supervisor wants before all others, best first."""

    supervisor: UUID
    students: Sequence[UUID]


class NamedTwiceError(InvalidError):
    """It would be unclear which merit or which place in a ranking is meant."""

    code = "named_twice"
    title = "Somebody is named twice."


def refuse_repeated(merits: Sequence[Merit], rankings: Sequence[Ranking]) -> None:
    """Refuse whoever is named once more, all of them at once."""
    named = {
        "merits": [("student", each["student"]) for each in merits],
        "rankings": [("supervisor", each["supervisor"]) for each in rankings],
        **{
            f"rankings.{place}.students": [("", student) for student in each["students"]]
            for place, each in enumerate(rankings)
        },
    }
    errors: list[DomainError] = []
    for field, names in named.items():
        first = {who: place for place, (_, who) in reversed(list(enumerate(names)))}
        errors += [
            NamedTwiceError(field=f"{field}.{place}.{name}".rstrip("."))
            for place, (name, who) in enumerate(names)
            if first[who] != place
        ]
    raise_all(errors)


def passed_over(document: Mapping[str, Any], merits: Sequence[Merit], rankings: Sequence[Ranking]) -> int:
    """Return how many are named who want no topic, or offer none: they, or their ids, are mistaken for others."""
    ranked = (student for each in rankings for student in each["students"])
    named = (*(each["student"] for each in merits), *(each["supervisor"] for each in rankings), *ranked)
    known = {row["key"] for row in (*document["applicants"], *document["supervisors"])}
    return len({str(who) for who in named} - known)


def document_of(
    cycle: ProjectCycle, merits: Mapping[str, str], rankings: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Return all that an allocation of a cycle is decided by, as JSON, always in the same order."""
    choices = _choices(cycle)
    offers = _offers(cycle)
    places = _places_of_supervisors(cycle)
    return {
        "seed": str(cycle.pk),
        "groups": [cycle.min_group_size, cycle.max_group_size],
        "applicants": [{"key": key, "choices": choices[key], "merit": merits.get(key, "0")} for key in sorted(choices)],
        "offers": offers,
        "supervisors": [
            {
                "key": key,
                "places": places.get(key, 0),
                "ranking": [one for one in dict.fromkeys(rankings.get(key, ())) if one in choices],
            }
            for key in sorted({str(offer["supervisor"]) for offer in offers})
        ],
    }


def _offers(cycle: ProjectCycle) -> list[dict[str, Any]]:
    """Return the topics with the places that nobody has yet; one that is offered no more has none."""
    return [
        {
            "key": str(topic.pk),
            "supervisor": str(topic.supervisor_id),
            "places": topic.places - topic.taken_count if topic.is_offered else 0,
        }
        for topic in Topic.objects.filter(cycle=cycle).order_by("pk")
    ]


def _choices(cycle: ProjectCycle) -> dict[str, list[str]]:
    """Return which topics each student wants, best first.

    Neither those who do a project of the cycle already take part, nor those who are in the program no more.
    """
    enrolled = ProgramEnrollment.objects.live().filter(program=cycle.program_id).values("student")
    placed = ProjectMember.objects.active().filter(cycle=cycle).values("student")
    wanted = TopicPreference.objects.filter(application__cycle=cycle, application__student__in=enrolled)
    wanted = wanted.exclude(application__student__in=placed)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for student, topic in wanted.order_by("application__student", "rank").values_list("application__student", "topic"):
        found[str(student)].append(str(topic))
    return found


def _places_of_supervisors(cycle: ProjectCycle) -> dict[str, int]:
    rows = SupervisorCapacity.objects.filter(cycle=cycle, role=SupervisorRole.SUPERVISOR)
    return {str(row.faculty_id): row.max_count - row.used_count for row in rows}


def document_now(run: AllocationRun) -> dict[str, Any]:
    """Return what the run would be decided by now, with the same merits and rankings."""
    merits = {row["key"]: row["merit"] for row in run.document["applicants"]}
    rankings = {row["key"]: row["ranking"] for row in run.document["supervisors"]}
    return document_of(run.cycle, merits, rankings)


def hash_of(document: Mapping[str, Any]) -> str:
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def matched(document: Mapping[str, Any]) -> Matching:
    return match(
        [
            Applicant(key=row["key"], choices=tuple(row["choices"]), merit=Decimal(row["merit"]))
            for row in document["applicants"]
        ],
        [Offer(**row) for row in document["offers"]],
        [
            Supervisor(key=row["key"], places=row["places"], ranking=tuple(row["ranking"]))
            for row in document["supervisors"]
        ],
        seed=document["seed"],
    )
