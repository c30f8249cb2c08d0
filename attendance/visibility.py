"""Sight of sessions: everybody sees when classes are, those in charge of all that gather change them."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.assignments import scopes_of
from attendance.models import ClassSession
from core.visibility import grants
from courses.models import Course, Section
from departments.selectors import below


@grants(ClassSession)
def everybody_sees_when_classes_are(actor: Any) -> Q | None:
    return Q()


@grants(ClassSession, "manage")
def those_in_charge_manage_the_sessions_of_their_sections(actor: Any) -> Q | None:
    """Of sections that gather together one has to be in charge of each."""
    scopes = scopes_of(actor, "attendance.change_classsession")
    if scopes.everywhere:
        return Q()
    if not scopes.departments and not scopes.sections:
        return None
    courses = Course.objects.filter(below(scopes.departments))
    own = Section.objects.filter(Q(course__in=courses.values("pk")) | Q(pk__in=scopes.sections)).values("pk")
    foreign = ClassSession.objects.filter(gathering=OuterRef("gathering")).exclude(section__in=own)
    return Q(section__in=own) & ~Q(Exists(foreign))
