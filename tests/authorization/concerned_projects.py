"""Somebody who decides about the final project that they do, or want to do."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import User
from projects.models import AllocationRun, SupervisorCapacity, Topic
from projects.services import allocation, cycles, members, topics
from tests.authorization.concerned_records import student
from tests.authorization.duties import Case
from tests.authorization.world import OWN, World
from tests.projects.cycle_factories import ProjectApplicationFactory


def _allocated(world: World, user: User) -> None:
    own = world.sides[OWN]
    ProjectApplicationFactory(cycle=own.running, student=own.student)
    allocation.run_allocation(cycle=own.running, by=user, at=timezone.now())


def _published(world: World, user: User) -> None:
    own = world.sides[OWN]
    ProjectApplicationFactory(cycle=own.running, student=own.student)
    allocation.publish_allocation(AllocationRun.objects.get(pk=own.allocation.pk), by=user, at=timezone.now())


def _offered(world: World, user: User) -> None:
    own = world.sides[OWN]
    topics.offer_topic(by=user, at=timezone.now(), cycle=own.cycle, supervisor=own.faculty, title_local="What I like")


def _of(model: Any, name: str, verb: Callable[..., Any], **values: Any) -> Callable[[World, User], Any]:
    """Let somebody do this with a row of their own side, as it is read anew."""
    return lambda world, user: verb(model.objects.get(pk=getattr(world.sides[OWN], name).pk), by=user, **values)


NOW = timezone.now()
PROJECTS = [
    Case("topics of which one wants one", student, _allocated, cycles.OwnCycleError),
    Case("a topic for oneself", student, _published, cycles.OwnCycleError),
    Case(
        "the rules of the cycle of one's own project", student,
        lambda w, u: cycles.update_cycle(w.sides[OWN].running, by=u, at=NOW, pass_mark=Decimal(60)),
        cycles.OwnCycleError,
    ),
    Case(
        "whom one's supervisor takes besides", student,
        lambda w, u: cycles.set_capacity(by=u, cycle=w.sides[OWN].cycle, faculty=w.sides[OWN].colleague, max_count=9),
        cycles.OwnCycleError,
    ),
    *(
        Case(f"{verb.__name__} of one's own", student, _of(model, name, verb, **values), cycles.OwnCycleError)
        for model, name, verb, values in (
            (SupervisorCapacity, "capacity", cycles.update_capacity, {"max_count": 9}),
            (SupervisorCapacity, "capacity", cycles.delete_capacity, {}),
            (Topic, "thesis", topics.update_topic, {"at": NOW, "places": 9}),
            (Topic, "unasked", topics.delete_topic, {"at": NOW}),
        )
    ),
    Case("a topic to be wanted by oneself", student, _offered, cycles.OwnCycleError),
    Case(
        "a project for oneself", student,
        lambda w, u: members.add_member(
            by=u, at=NOW, project=w.sides[OWN].member.project, student=w.sides[OWN].student
        ),
        members.OwnMembershipError,
    ),
    Case(
        "one's own part of the work", student,
        lambda w, u: members.update_member(w.sides[OWN].member, by=u, at=NOW, contribution=Decimal(100)),
        members.OwnMembershipError,
    ),
]  # fmt: skip
