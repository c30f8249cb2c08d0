"""What other apps ask about students."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.assignments import person_as, scopes_of
from accounts.roles import Role, permissions_of
from core.duties import records_of
from departments.selectors import below
from students.models import GuardianLink, ProgramEnrollment, Student


def in_programs(ids: Iterable[UUID], *, path: str = "pk") -> Q:
    """Match rows whose `path` leads to a student who is, or was, enrolled in one of the programs."""
    enrolled = ProgramEnrollment.objects.filter(program__in=list(ids))
    return Q(**{f"{path}__in": enrolled.values("student")})


def advising(actor: Any) -> UUID | None:
    """Return the person whose advisees an actor sees: their own, while they hold an advisor's role."""
    return person_as(actor, {Role.ADVISOR})


def for_whom(actor: Any, permission: str, *, advisees: bool = True) -> Q | None:
    """Match the students for whom a role of the actor holds the permission, None when there are none.

    To see a student is not enough: who studies and also teaches holds it for themselves, not for those they teach.
    Advisees are reached by whoever holds it as an advisor; without `advisees`, a role that is held for oneself reaches
    oneself and nobody else.
    """
    scopes = scopes_of(actor, permission)
    if scopes.everywhere:
        return Q()
    own = Q()
    if scopes.departments:
        own |= below(scopes.departments)
    if scopes.programs:
        own |= in_programs(scopes.programs)
    person = getattr(actor, "person_id", None)
    if scopes.own and person:
        own |= Q(person=person)
        advisor = advising(actor) if advisees and permission in permissions_of(Role.ADVISOR) else None
        own |= Q(advisor=advisor) if advisor else Q()
    return own or None


def in_person(actor: Any) -> dict[UUID, UUID]:
    """Return the student that an actor is, if they are one, by id with the id of the person.

    Whoever was recorded more than once may be one in each record.
    """
    records = records_of(actor)
    return dict(Student.objects.filter(person__in=records).values_list("pk", "person_id")) if records else {}


def wards_of(actor: Any, scope: str) -> QuerySet[GuardianLink, Any] | None:
    """Return the students of whose record this much is open to the actor as a guardian today, for an `__in`."""
    person = getattr(actor, "person_id", None)
    if not person or not actor.has_perm("students.view_ward"):
        return None
    links = GuardianLink.objects.live(timezone.localdate()).filter(person=person, scopes__contains=[scope])
    return links.values("student")
