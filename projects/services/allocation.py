"""What allocates the topics of a cycle, and makes projects of what was allocated."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from accounts.models import User
from core import crud
from core.db.constraints import refusal
from core.errors import ConflictError
from core.events import publish
from core.visibility import Actor
from projects.events import AllocationPublished
from projects.matching import Matching
from projects.models import AllocationOutcome, AllocationRun, CyclePhase, ProjectCycle, Topic
from projects.services.cycles import lock_cycle, require_no_part, require_phase, require_unpublished
from projects.services.deciding import (
    Merit,
    Ranking,
    document_now,
    document_of,
    hash_of,
    matched,
    passed_over,
    refuse_repeated,
)
from projects.services.final_year import NewFinalYearProject, create_final_year_projects
from projects.services.members import add_members
from students.models import Student

MemberT = TypeVar("MemberT")


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
    preferences are closed, with `allocation_published` once there is nothing left to find out, with `named_twice` where
    it is unclear which merit or ranking is meant, and with `self_approval` to a student who wants a topic or has one.
    """
    require_no_part(by, cycle)
    require_phase(cycle, CyclePhase.WORK, at=at)
    require_unpublished(cycle)
    refuse_repeated(merits, rankings)
    document = document_of(
        cycle,
        {str(each["student"]): str(each["merit"]) for each in merits},
        {str(each["supervisor"]): [str(student) for student in each["students"]] for each in rankings},
    )
    matching = matched(document)
    run = crud.create(
        AllocationRun,
        {
            "cycle": cycle, "document": document, "input_hash": hash_of(document), "requested_by": by,
            "students_count": len(matching.outcomes), "placed_count": len(matching.given),
            "first_choices_count": sum(outcome.rank == 1 for outcome in matching.outcomes),
            "proposals_count": matching.proposals, "small_groups_count": _small_groups(cycle, matching),
            "passed_over_count": passed_over(document, merits, rankings),
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
    run.cycle = lock_cycle(run.cycle)
    require_phase(run.cycle, CyclePhase.WORK, at=at)
    require_unpublished(run.cycle)
    if hash_of(document_now(run)) != run.input_hash:
        raise AllocationOutdatedError
    crud.update(run, {"published_at": at, "published_by": by})
    made, students = _make_projects(run, by)
    publish(AllocationPublished(run_id=run.pk, cycle_id=run.cycle_id, projects=made, students=students, happened_at=at))
    return run


def _record(run: AllocationRun, matching: Matching) -> None:
    merits = {row["key"]: Decimal(row["merit"]) for row in run.document["applicants"]}
    AllocationOutcome.objects.bulk_create(
        (
            AllocationOutcome(
                run=run,
                student_id=outcome.applicant,
                topic_id=outcome.topic,
                rank=outcome.rank,
                merit=merits[outcome.applicant],
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
    begun: list[NewFinalYearProject] = [
        {
            "supervisor": topic.supervisor, "topic": topic, "topic_local": topic.title_local,
            "topic_en": topic.title_en, "owner_id": accounts.get(topic.supervisor.person_id),
        }
        for topic, _ in groups
    ]  # fmt: skip
    projects = create_final_year_projects(run.cycle, begun, by=by)
    members = [(project, student) for project, (_, group) in zip(projects, groups, strict=True) for student in group]
    add_members(members)
    return len(groups), len(members)


def _accounts_of_supervisors(topics: Mapping[Topic, Any]) -> dict[UUID | None, UUID]:
    """Return the account of each supervisor by the id of the person; of one who has none, whoever publishes answers."""
    people = {topic.supervisor.person_id for topic in topics}
    return dict(User.objects.filter(person__in=people).values_list("person", "pk"))


def _small_groups(cycle: ProjectCycle, matching: Matching) -> int:
    """Return how many groups would have fewer members than the cycle would like."""
    placed = Counter(outcome.topic for outcome in matching.outcomes if outcome.topic is not None)
    groups = (group for number in placed.values() for group in even(range(number), cycle.max_group_size))
    return sum(len(group) < cycle.min_group_size for group in groups)


def even(students: Sequence[MemberT], most: int) -> list[Sequence[MemberT]]:
    """Part students into as few groups as hold so many each at most, none larger by more than one than another."""
    count = ceil(len(students) / most)
    return [students[place::count] for place in range(count)]
