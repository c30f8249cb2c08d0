"""Sight of how often somebody was there.

For those who teach the section and those in charge of it, and for the student and their advisor, too.
"""

from typing import Any

from django.db.models import Q

from accounts.assignments import person_as, scopes_of
from accounts.roles import STAFF
from attendance.models import AttendanceRecord, AttendanceSummary, EligibilityDecision, Standing
from attendance.visibility.units import in_units
from core.visibility import grants, visible
from courses.selectors import sections_taught_by
from enrollment.models import Enrollment
from students.models import Student
from students.selectors import advising, in_programs

VIEW_STANDING = "attendance.view_standing"
VIEW_SUMMARY = "attendance.view_attendancesummary"
DECIDE = "attendance.decide_eligibilitydecision"


@grants(AttendanceRecord)
@grants(EligibilityDecision)
def whoever_sees_the_attendance_of_an_enrolment_sees_what_it_is_made_of_and_led_to(actor: Any) -> Q | None:
    rows = visible(Standing.objects.all(), actor)
    # Sight of every enrolment is no condition at all, and must not become a subquery over the whole table.
    return Q(enrollment__in=rows.values("pk")) if rows.query.where else Q()


@grants(Standing)
def those_in_charge_see_the_attendance_of_their_units(actor: Any) -> Q | None:
    return in_units(scopes_of(actor, VIEW_STANDING))


@grants(Standing)
def those_in_charge_of_programs_see_the_attendance_of_their_students(actor: Any) -> Q | None:
    programs = scopes_of(actor, VIEW_STANDING).programs
    return in_programs(programs, path="student") if programs else None


@grants(Standing)
def instructors_see_the_attendance_in_the_sections_they_teach(actor: Any) -> Q | None:
    teacher = person_as(actor, STAFF)
    return Q(section__in=sections_taught_by(teacher)) if teacher else None


@grants(Standing)
def advisors_see_the_attendance_of_their_advisees(actor: Any) -> Q | None:
    advisor = advising(actor)
    return Q(student__in=Student.objects.filter(advisor=advisor).values("pk")) if advisor else None


@grants(Standing)
def students_see_their_own_attendance(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(student__in=Student.objects.filter(person=person).values("pk")) if person else None


@grants(Standing, "manage")
@grants(EligibilityDecision, "manage")
def those_who_decide_about_admission_do_so_in_their_units(actor: Any) -> Q | None:
    return in_units(scopes_of(actor, DECIDE))


@grants(AttendanceSummary)
def those_in_charge_see_who_falls_short_in_their_units(actor: Any) -> Q | None:
    return in_units(scopes_of(actor, VIEW_SUMMARY))


@grants(AttendanceSummary)
def those_in_charge_of_programs_see_which_of_their_students_fall_short(actor: Any) -> Q | None:
    programs = scopes_of(actor, VIEW_SUMMARY).programs
    if not programs:
        return None
    return Q(enrollment__in=Enrollment.objects.filter(in_programs(programs, path="student")).values("pk"))


@grants(AttendanceSummary)
def instructors_see_who_falls_short_in_the_sections_they_teach(actor: Any) -> Q | None:
    teacher = person_as(actor, STAFF)
    return Q(section__in=sections_taught_by(teacher)) if teacher else None


@grants(AttendanceSummary)
def advisors_see_which_of_their_advisees_fall_short(actor: Any) -> Q | None:
    advisor = advising(actor)
    if not advisor:
        return None
    advisees = Student.objects.filter(advisor=advisor).values("pk")
    return Q(enrollment__in=Enrollment.objects.filter(student__in=advisees).values("pk"))
