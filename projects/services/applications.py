"""What students say about the topics of a cycle."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from core import crud
from core.db.constraints import refusal
from core.errors import DomainError, InvalidError, raise_all
from core.visibility import Actor
from projects.models import CyclePhase, ProjectApplication, ProjectCycle, Topic, TopicPreference
from projects.services.cycles import (
    NotInProgramError,
    hold_cycle,
    is_in_program,
    require_phase,
    require_unpublished,
)
from students.models import Student


class TopicElsewhereError(InvalidError):
    """The topic belongs to another cycle, or is offered no more."""

    code = "topic_not_offered"
    title = "The topic is not offered in this cycle."
    field = "topics"


# What the database says of the same.
refusal("projects_topicpreference_topic_of_cycle", TopicElsewhereError)
refusal("projects_finalyearproject_topic_of_cycle", TopicElsewhereError)
refusal("projects_topicpreference_application_of_cycle", TopicElsewhereError)


class TopicRepeatedError(InvalidError):
    """A topic is named twice."""

    code = "topic_repeated"
    title = "A topic is named twice."
    field = "topics"


class TooManyPreferencesError(InvalidError):
    """More topics are named than the cycle allows, or none."""

    code = "preferences_out_of_range"
    title = "Too few or too many topics are named."
    field = "topics"


@transaction.atomic
def apply_for_topics(
    *, by: Actor | None, at: datetime, cycle: ProjectCycle, student: Student, topics: Sequence[Topic]
) -> ProjectApplication:
    """Say which topics a student prefers, best first.

    Refused with `phase_not_open`, `allocation_published`, `already_applied`, and all at once with `not_in_program`,
    `topic_not_offered`, `topic_repeated` and `preferences_out_of_range`.
    """
    cycle = _open(cycle, at)
    errors = _faults(cycle, topics)
    if not is_in_program(student, cycle):
        errors.append(NotInProgramError())
    raise_all(errors)
    application = crud.create(ProjectApplication, {"cycle": cycle, "student": student})
    _rank(application, topics)
    return application


@transaction.atomic
def rank_topics(
    application: ProjectApplication, *, by: Actor | None, at: datetime, topics: Sequence[Topic] | None = None
) -> ProjectApplication:
    """Replace what a student prefers; the same again changes nothing, nor does nothing. Refused as the first time."""
    cycle = _open(application.cycle, at)
    if topics is None:
        return application
    raise_all(_faults(cycle, topics))
    ranked = application.preferences.order_by("rank").values_list("topic", flat=True)
    if list(ranked) != [topic.pk for topic in topics]:
        crud.touch(application)
        application.preferences.all().delete()
        _rank(application, topics)
    return application


@transaction.atomic
def withdraw_application(application: ProjectApplication, *, by: Actor | None, at: datetime) -> None:
    """Let a student have said nothing; refused with `phase_not_open` once preferences are closed."""
    _open(application.cycle, at)
    crud.delete(application)


def _open(cycle: ProjectCycle, at: datetime) -> ProjectCycle:
    """Return the cycle, of which nothing is allocated before what is said now is there to be read."""
    cycle = hold_cycle(cycle)
    require_phase(cycle, CyclePhase.PREFERENCES, at=at)
    require_unpublished(cycle)
    return cycle


def _rank(application: ProjectApplication, topics: Sequence[Topic]) -> None:
    TopicPreference.objects.bulk_create(
        TopicPreference(application=application, cycle_id=application.cycle_id, topic=topic, rank=rank)
        for rank, topic in enumerate(topics, start=1)
    )


def _faults(cycle: ProjectCycle, topics: Sequence[Topic]) -> list[DomainError]:
    errors: list[DomainError] = [
        TopicElsewhereError(field=f"topics.{place}")
        for place, topic in enumerate(topics)
        if topic.cycle_id != cycle.pk or not topic.is_offered
    ]
    if len({topic.pk for topic in topics}) < len(topics):
        errors.append(TopicRepeatedError())
    if not 1 <= len(topics) <= cycle.most_preferences:
        most = cycle.most_preferences
        errors.append(TooManyPreferencesError(f"Between 1 and {most} topics are named.", meta={"most": most}))
    return errors
