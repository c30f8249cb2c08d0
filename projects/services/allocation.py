"""What allocates the topics of a cycle, and makes projects of what was allocated."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from math import ceil
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction

from accounts.models import User
from core import crud
from core.db.constraints import refusal
from core.errors import ConflictError
from core.events import publish
from core.visibility import Actor
from projects.events import AllocationPublished
from projects.matching import Applicant, Matching, Offer, Supervisor, match
from projects.models import (
    AllocationOutcome,
    AllocationRun,
    CyclePhase,
    FinalYearProject,
    ProjectCycle,
    ProjectMember,
    SupervisorCapacity,
    SupervisorRole,
    Topic,
    TopicPreference,
)
from projects.services.cycles import lock_cycle, require_no_part, require_phase, require_unpublished
from projects.services.members import add_members, create_final_year_project, next_codes
from students.models import ProgramEnrollment, Student


class Merit(TypedDict):
    """How much somebody deserves to come before others; more is better."""

    student: UUID
    merit: Decimal


class Ranking(TypedDict):
    """Whom a supervisor wants before all others, best first."""

    supervisor: UUID
    students: Sequence[UUID]


class AllocationOutdatedError(ConflictError):
    """What was wanted or offered has changed since the run was asked for."""

    code = "allocation_outdated"
    title = "What the run was decided by has changed since; another run can be made."


class AllocationImmutableError(ConflictError):
    """A run that was made would be changed."""

    code = "immutable"
    title = "What a run was decided by, and what came of it, stays as it was."


refusal("projects_allocationrun_immutable", AllocationImmutableError)
refusal("projects_allocationoutcome_immutable", AllocationImmutableError)


@transaction.atomic
def run_allocation(
    *,
    by: Actor | None,
    at: datetime,
    cycle: ProjectCycle,
    merits: Sequence[Merit] = (),
    rankings: Sequence[Ranking] = (),
) -> AllocationRun:
    """Find out who would get which topic, and publish nothing; the same facts come to the same outcomes.

    Whoever does a project of the cycle already takes no part, and their places are taken. Students without merit have
    none, and of equals a lot decides that the cycle draws (`projects.matching`). Refused with `phase_not_open` unless
    preferences are closed, with `allocation_published` once there is nothing left to find out, and with
    `self_approval` to a student who wants one of the topics or has one.
    """
    require_no_part(by, cycle)
    require_phase(cycle, CyclePhase.WORK, at=at)
    require_unpublished(cycle)
    document = _document(
        cycle,
        {str(each["student"]): str(each["merit"]) for each in merits},
        {str(each["supervisor"]): [str(student) for student in each["students"]] for each in rankings},
    )
    matching = _matched(document)
    run = crud.create(
        AllocationRun,
        {
            "cycle": cycle, "document": document, "input_hash": _hash(document), "requested_by": by,
            "students_count": len(matching.outcomes), "placed_count": len(matching.given),
            "first_choices_count": sum(outcome.rank == 1 for outcome in matching.outcomes),
            "proposals_count": matching.proposals,
        },
    )  # fmt: skip
    _record(run, matching)
    return run


@transaction.atomic
def publish_allocation(run: AllocationRun, *, by: Actor | None, at: datetime) -> AllocationRun:
    """Make projects of what a run came to: of each topic as few groups as the cycle allows, as even as they can be.

    A published one stays as it is. Refused with `allocation_published` where another one of the cycle is, with
    `phase_not_open`, with `allocation_outdated` where the same would not be decided now, and with `self_approval` as a
    run is.
    """
    if run.published_at is not None:
        return run
    require_no_part(by, run.cycle)
    # Whoever says what they would like, or joins a project, holds it: from here on nothing comes between.
    cycle = lock_cycle(run.cycle)
    require_phase(cycle, CyclePhase.WORK, at=at)
    require_unpublished(cycle)
    if _hash(_now(run)) != run.input_hash:
        raise AllocationOutdatedError
    crud.update(run, {"published_at": at, "published_by": by})
    made, students = _make_projects(run, by)
    publish(AllocationPublished(run_id=run.pk, cycle_id=run.cycle_id, projects=made, students=students, happened_at=at))
    return run


def _document(
    cycle: ProjectCycle, merits: Mapping[str, str], rankings: Mapping[str, Sequence[str]]
) -> dict[str, list[dict[str, Any]] | str]:
    """Return all that an allocation of a cycle is decided by, as JSON, always in the same order."""
    choices = _choices(cycle)
    offers = _offers(cycle)
    places = _places_of_supervisors(cycle)
    return {
        "seed": str(cycle.pk),
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
    wanted = TopicPreference.objects.filter(cycle=cycle, application__student__in=enrolled)
    wanted = wanted.exclude(application__student__in=placed)
    found: defaultdict[str, list[str]] = defaultdict(list)
    for student, topic in wanted.order_by("application__student", "rank").values_list("application__student", "topic"):
        found[str(student)].append(str(topic))
    return found


def _places_of_supervisors(cycle: ProjectCycle) -> dict[str, int]:
    rows = SupervisorCapacity.objects.filter(cycle=cycle, role=SupervisorRole.SUPERVISOR)
    return {str(row.faculty_id): row.max_count - row.used_count for row in rows}


def _now(run: AllocationRun) -> dict[str, Any]:
    """Return what the run would be decided by now, with the same merits and rankings."""
    merits = {row["key"]: row["merit"] for row in run.document["applicants"]}
    rankings = {row["key"]: row["ranking"] for row in run.document["supervisors"]}
    return _document(run.cycle, merits, rankings)


def _hash(document: Mapping[str, Any]) -> str:
    return sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _matched(document: Mapping[str, Any]) -> Matching:
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


def _record(run: AllocationRun, matching: Matching) -> None:
    AllocationOutcome.objects.bulk_create(
        (
            AllocationOutcome(
                run=run,
                student_id=outcome.applicant,
                topic_id=outcome.topic,
                rank=outcome.rank,
                # Who has the last place is nobody's business but theirs.
                missed=[
                    {name: value for name, value in asdict(each).items() if name != "last_admitted"}
                    for each in outcome.missed
                ],
            )
            for outcome in matching.outcomes
        ),
        batch_size=1_000,
    )


def _make_projects(run: AllocationRun, by: Actor | None) -> tuple[int, int]:
    """Make the projects and their members; return how many of each."""
    outcomes = run.outcomes.filter(topic__isnull=False).select_related("student", "topic__supervisor")
    of_topic: defaultdict[Topic, list[Student]] = defaultdict(list)
    for outcome in outcomes.order_by("topic", "student"):
        if outcome.topic is not None:
            of_topic[outcome.topic].append(outcome.student)
    groups = [(topic, group) for topic, all_ in of_topic.items() for group in even(all_, run.cycle.max_group_size)]
    accounts = _accounts_of_supervisors(of_topic)
    codes = next_codes(run.cycle, len(groups))
    members: list[tuple[FinalYearProject, Student]] = []
    for code, (topic, group) in zip(codes, groups, strict=True):
        project = create_final_year_project(
            by=by, cycle=run.cycle, supervisor=topic.supervisor, topic=topic, topic_local=topic.title_local,
            topic_en=topic.title_en, owner_id=accounts.get(topic.supervisor.person_id), code=code,
        )  # fmt: skip
        members.extend((project, student) for student in group)
    add_members(members)
    return len(groups), len(members)


def _accounts_of_supervisors(topics: Mapping[Topic, Any]) -> dict[UUID | None, UUID]:
    """Return the account of each supervisor by the id of the person; of one who has none, whoever publishes answers."""
    people = {topic.supervisor.person_id for topic in topics}
    return dict(User.objects.filter(person__in=people).values_list("person", "pk"))


def even(students: Sequence[Student], most: int) -> list[Sequence[Student]]:
    """Part students into as few groups as hold so many each at most, none larger by more than one than another."""
    count = ceil(len(students) / most)
    return [students[place::count] for place in range(count)]
