"""Sight of classes: everybody sees when they are, and those in charge of all that gather change them."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.assignments import scopes_of
from attendance.models import AttendanceCode, AttendancePolicy, CalendarFeed, ClassSession
from core.visibility import grants
from courses.models import Course, Section
from departments.selectors import below


@grants(ClassSession)
def everybody_sees_when_classes_are(actor: Any) -> Q | None:
    return Q()


@grants(AttendancePolicy)
@grants(AttendanceCode)
def everybody_sees_what_one_can_be_marked_with_and_by_which_rule(actor: Any) -> Q | None:
    return Q()


@grants(AttendanceCode, "manage")
def those_in_charge_of_the_institution_manage_the_codes(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.change_attendancecode").everywhere else None


@grants(AttendancePolicy, "manage")
def those_in_charge_of_the_institution_manage_the_policies(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.change_attendancepolicy").everywhere else None


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


@grants(CalendarFeed, "manage")
def those_in_charge_of_the_institution_revoke_calendar_feeds(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.delete_calendarfeed").everywhere else None


@grants(CalendarFeed)
def those_who_see_everything_see_who_has_a_calendar_feed(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.view_calendarfeed").everywhere else None
