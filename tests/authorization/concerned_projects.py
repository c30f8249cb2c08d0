"""Somebody who decides about the final project that they do, or want to do."""

from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from projects.models import AllocationRun
from projects.services import allocation, members
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


PROJECTS = [
    Case("topics of which one wants one", student, _allocated, allocation.OwnAllocationError),
    Case("a topic for oneself", student, _published, allocation.OwnAllocationError),
    Case(
        "a project for oneself", student,
        lambda w, u: members.add_member(by=u, project=w.sides[OWN].member.project, student=w.sides[OWN].student),
        members.OwnMembershipError,
    ),
    Case(
        "one's own part of the work", student,
        lambda w, u: members.update_member(w.sides[OWN].member, by=u, contribution=Decimal(100)),
        members.OwnMembershipError,
    ),
]  # fmt: skip
