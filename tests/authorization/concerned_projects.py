"""Somebody who decides about the final project that they do, or want to do."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.utils import timezone

from accounts.models import User
from projects.models import AllocationRun, ExtensionRequest, Milestone, PlannedMilestone, SupervisorCapacity, Topic
from projects.services import allocation, cycles, extensions, members, milestones, topics
from tests.accounts.factories import UserFactory
from tests.authorization.concerned_records import student
from tests.authorization.duties import Case
from tests.authorization.final_projects import due
from tests.authorization.world import OWN, World
from tests.projects.cycle_factories import DAY, ProjectApplicationFactory


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


def _planned(world: World, user: User) -> None:
    project = world.sides[OWN].member.project
    milestones.create_milestone(by=user, at=timezone.now(), project=project, **due())


def _due(verb: Callable[..., Any], **more: Any) -> Callable[[World, User], Any]:
    return lambda world, user: verb(Milestone.objects.get(pk=world.sides[OWN].milestone.pk), by=user, **more)


def _more_time(verb: Callable[..., Any]) -> Callable[[World, User], Any]:
    def act(world: World, user: User) -> Any:
        return verb(ExtensionRequest.objects.get(pk=world.sides[OWN].extension.pk), by=user, at=timezone.now())

    return act


def _asker(own: Any) -> User:
    """Return whoever asked for more time, who is nobody in person."""
    user: User = UserFactory(person=None)
    ExtensionRequest.objects.filter(pk=own.extension.pk).update(requested_by=user)
    return user


def _planned_for_all(world: World, user: User) -> None:
    milestones.plan_milestone(by=user, **{**due(cycle=world.sides[OWN].running), "due_at": NOW + DAY})


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
    Case("something due in all projects, one's own among them", student, _planned_for_all, cycles.OwnCycleError),
    *(
        Case(
            f"{verb.__name__} of one's own", student,
            _of(PlannedMilestone, "plan", verb, **values), cycles.OwnCycleError,
        )
        for verb, values in (
            (milestones.update_planned_milestone, {"weight": Decimal(0)}),
            (milestones.delete_planned_milestone, {}),
            (milestones.apply_planned_milestone, {"at": NOW}),
        )
    ),
    *(
        Case(f"{verb.__name__} in one's own project", student, _due(verb, **more), milestones.OwnMilestoneError)
        for verb, more in (
            (milestones.update_milestone, {"weight": Decimal(0)}), (milestones.delete_milestone, {}),
        )
    ),
    Case("something due in one's own project", student, _planned, milestones.OwnMilestoneError),
    Case(
        "one's own work accepted", student,
        _due(milestones.accept_milestone, at=timezone.now()), milestones.OwnMilestoneError,
    ),
    Case(
        "one's own work returned", student,
        _due(milestones.return_milestone, at=timezone.now(), feedback="Again"), milestones.OwnMilestoneError,
    ),
    *(
        Case(f"{verb.__name__} for {whose}", who, _more_time(verb), extensions.OwnExtensionError)
        for whose, who in (("oneself", student), ("what one asked for", _asker))
        for verb in (extensions.grant_extension, extensions.refuse_extension)
    ),
]  # fmt: skip
