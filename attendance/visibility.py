"""Sight of sessions and of who was there.

Everybody sees when classes are, and those in charge of all that gather change them. The sheet of a session is for those
who teach its section and those in charge of it; how often a student was there, for the student
and their advisor, too.
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.assignments import Scopes, scopes_of
from attendance.models import AttendanceCode, ClassSession, Roster, Standing
from core.visibility import grants
from courses.models import Course, Section
from courses.selectors import sections_assisted_in, sections_taught_by
from departments.selectors import below
from students.models import Student
from students.selectors import in_programs

VIEW_STANDING = "attendance.view_standing"


@grants(ClassSession)
def everybody_sees_when_classes_are(actor: Any) -> Q | None:
    return Q()


@grants(AttendanceCode)
def everybody_sees_what_one_can_be_marked_with(actor: Any) -> Q | None:
    return Q()


@grants(AttendanceCode, "manage")
def those_in_charge_of_the_institution_manage_the_codes(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.change_attendancecode").everywhere else None


@grants(Roster, "manage")
def instructors_mark_the_sections_they_teach(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(section__in=sections_taught_by(person)) if person else None


@grants(Roster)
def those_in_charge_see_who_was_in_their_sections(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, "attendance.view_roster"))


@grants(Roster, "manage")
def those_in_charge_mark_the_sections_of_their_units(actor: Any) -> Q | None:
    """A teacher's role that is held for a unit lets nobody mark what they do not teach."""
    return _in_units(scopes_of(actor, "attendance.change_classsession"))


@grants(Standing)
def those_in_charge_see_the_attendance_of_their_units(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, VIEW_STANDING))


@grants(Standing)
def those_in_charge_of_programs_see_the_attendance_of_their_students(actor: Any) -> Q | None:
    programs = scopes_of(actor, VIEW_STANDING).programs
    return in_programs(programs, path="student") if programs else None


@grants(Standing)
def instructors_see_the_attendance_in_the_sections_they_teach(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(section__in=sections_taught_by(person)) if person else None


@grants(Standing)
def advisors_see_the_attendance_of_their_advisees(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(student__in=Student.objects.filter(advisor=person).values("pk")) if person else None


@grants(Standing)
def students_see_their_own_attendance(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(student__in=Student.objects.filter(person=person).values("pk")) if person else None


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


def _in_units(scopes: Scopes) -> Q | None:
    if scopes.everywhere:
        return Q()
    found = Q()
    if scopes.departments:
        courses = Course.objects.filter(below(scopes.departments))
        found |= Q(section__in=Section.objects.filter(course__in=courses.values("pk")).values("pk"))
    if scopes.sections:
        found |= Q(section__in=sections_assisted_in(scopes.sections))
    return found or None
