"""Telling students and supervisors that topics are allocated."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from notifications.services import notify
from notifications.topics import Topic
from projects.models import AllocationRun, FinalYearProject
from projects.topics import ALLOCATION, SUPERVISION

OUTCOME, PROJECTS = "/projects/allocation-outcomes", "/projects/final-year-projects"
GOT = ("You have a topic: {cycle}", "Topics are allocated, and you have one of those that you wanted.")
MISSED = ("You have no topic: {cycle}", "Topics are allocated, and you have none of those that you wanted.")
MADE = ("Topics of yours are allocated: {cycle}", "Projects are made of topics that you offered.")


@transaction.atomic
def tell_of_allocation(run_id: UUID, *, at: datetime) -> int:
    """Tell students what came of their wishes, and supervisors that there are projects; return how many were told.

    A published allocation is told once, however often this is asked for.
    """
    run = AllocationRun.objects.published().select_related("cycle").filter(pk=run_id).first()
    if run is None:
        return 0
    placed, missed = (
        run.outcomes.filter(topic__isnull=none).values_list("student__person", flat=True) for none in (False, True)
    )
    projects = FinalYearProject.objects.filter(cycle=run.cycle, topic__isnull=False)
    supervisors = projects.values_list("supervisor__person", flat=True)
    said = ((ALLOCATION, GOT, placed, OUTCOME), (ALLOCATION, MISSED, missed, OUTCOME),
            (SUPERVISION, MADE, supervisors, PROJECTS))  # fmt: skip
    return sum(_tell(run, *each, at=at) for each in said)


def _tell(
    run: AllocationRun, topic: Topic, words: tuple[str, str], people: Iterable[UUID], link: str, *, at: datetime
) -> int:
    title, text = words
    return notify(
        users=list(User.objects.filter(person__in=people).values_list("pk", flat=True)),
        topic=topic,
        title=title.format(cycle=run.cycle.name),
        text=text,
        link=link,
        dedupe_key=f"{topic.name}:{run.pk}",
        at=at,
    )
