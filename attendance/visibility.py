"""Sight of sessions and of who was there.

Everybody sees when classes are, and those in charge of all that gather change them. The sheet of a session is for those
who teach its section or substitute there and those in charge of it; how often a student was there, for the student
and their advisor, too.
"""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.assignments import Scopes, scopes_of
from attendance.models import (
    AttendanceCode,
    AttendancePolicy,
    AttendanceRecord,
    AttendanceSummary,
    CalendarFeed,
    CheckInEvent,
    ClassSession,
    Condonation,
    Credential,
    DecisionRun,
    EligibilityDecision,
    ExcuseEvent,
    ExcuseRequest,
    Punch,
    Reader,
    Roster,
    Standing,
    Substitution,
    SubstitutionEvent,
    SubstitutionOffer,
)
from attendance.selectors import sessions_taken_over_by
from core.masks import masks
from core.visibility import grants, grants_for, visible
from courses.models import Course, Section
from courses.selectors import sections_assisted_in, sections_taught_by
from departments.selectors import below
from enrollment.models import Enrollment
from faculty.models import Faculty
from students.models import Student
from students.selectors import for_whom, in_programs

VIEW_STANDING = "attendance.view_standing"
VIEW_SUMMARY = "attendance.view_attendancesummary"
DECIDE = "attendance.decide_eligibilitydecision"


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


@grants(Roster, "manage")
def instructors_mark_the_sections_they_teach(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(section__in=sections_taught_by(person)) if person else None


@grants(Roster, "manage")
def substitutes_mark_the_sessions_that_they_took_over(actor: Any) -> Q | None:
    """No other session of the section, and for as long as whoever teaches it."""
    person = getattr(actor, "person_id", None)
    return Q(pk__in=sessions_taken_over_by(person)) if person else None


@grants(Roster)
def those_in_charge_see_who_was_in_their_sections(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, "attendance.view_roster"))


@grants(Roster, "manage")
def those_in_charge_mark_the_sections_of_their_units(actor: Any) -> Q | None:
    """A teacher's role that is held for a unit lets nobody mark what they do not teach."""
    return _in_units(scopes_of(actor, "attendance.change_classsession"))


@masks(ClassSession, "counts")
@masks(Roster, "counts")
def whoever_may_see_a_sheet_knows_how_many_are_marked_with_what(actor: Any) -> Q | None:
    """Of classes that somebody teaches by who they are, they see the sheets as long as a role lets them."""
    if not any(vars(scopes_of(actor, "attendance.view_roster")).values()):
        return None
    opened = [rows for rule in grants_for(Roster) if (rows := rule(actor)) is not None]
    if not opened or not all(opened):
        return Q() if opened else None
    return reduce(or_, opened)


@grants(CheckInEvent, "manage")
def instructors_look_at_check_ins_to_the_sections_they_teach(actor: Any) -> Q | None:
    return instructors_mark_the_sections_they_teach(actor)


@grants(CheckInEvent, "manage")
def substitutes_look_at_check_ins_to_the_sessions_that_they_took_over(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(session__in=sessions_taken_over_by(person)) if person else None


@grants(CheckInEvent)
def those_in_charge_see_who_checked_in_to_their_sections(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, "attendance.view_checkinevent"))


@grants(CheckInEvent, "manage")
def those_in_charge_look_at_check_ins_to_their_sections(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, "attendance.change_classsession"))


@grants(AttendanceRecord)
@grants(EligibilityDecision)
def whoever_sees_the_attendance_of_an_enrolment_sees_what_it_is_made_of_and_led_to(actor: Any) -> Q | None:
    rows = visible(Standing.objects.all(), actor)
    # Sight of every enrolment is no condition at all, and must not become a subquery over the whole table.
    return Q(enrollment__in=rows.values("pk")) if rows.query.where else Q()


@grants(Reader, "manage")
@grants(Credential, "manage")
def those_in_charge_of_the_institution_manage_readers_and_cards(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.change_reader").everywhere else None


@grants(CalendarFeed, "manage")
def those_in_charge_of_the_institution_revoke_calendar_feeds(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.delete_calendarfeed").everywhere else None


@grants(CalendarFeed)
def those_who_see_everything_see_who_has_a_calendar_feed(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.view_calendarfeed").everywhere else None


@grants(Reader)
@grants(Credential)
@grants(Punch)
def those_who_see_everything_see_what_readers_have_seen(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.view_punch").everywhere else None


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


@grants(Standing, "manage")
@grants(EligibilityDecision, "manage")
def those_who_decide_about_admission_do_so_in_their_units(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, DECIDE))


@grants(DecisionRun, "manage")
def those_who_decide_about_the_institution_see_every_run_and_others_their_own(actor: Any) -> Q | None:
    scopes = scopes_of(actor, "attendance.add_decisionrun")
    if scopes.everywhere:
        return Q()
    return Q(requested_by=actor.pk) if scopes.departments or scopes.sections else None


@grants(DecisionRun)
def those_who_see_everything_see_every_run(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.view_decisionrun").everywhere else None


@masks(EligibilityDecision, "reason", "note")
def students_and_those_who_decide_know_why_a_shortage_is_condoned(actor: Any) -> Q | None:
    deciding = _in_units(scopes_of(actor, DECIDE))
    person = getattr(actor, "person_id", None)
    if not person or (deciding is not None and not deciding):
        return deciding
    own = Enrollment.objects.filter(student__in=Student.objects.filter(person=person).values("pk"))
    return Q(enrollment__in=own.values("pk")) | (deciding or Q(pk=None))


@grants(Condonation)
def students_see_what_their_own_condonations_rest_on(actor: Any) -> Q | None:
    return _of_own_decisions(actor)


@grants(Condonation)
def those_in_charge_see_what_condonations_rest_on(actor: Any) -> Q | None:
    """Teachers and advisors are told that somebody is admitted, and not by what."""
    return _in_units(scopes_of(actor, "attendance.view_condonation"), path="decision__section")


@masks(Condonation, custom_fields=True)
def students_and_those_who_decide_know_what_a_condonation_rests_on(actor: Any) -> Q | None:
    deciding, own = _in_units(scopes_of(actor, DECIDE), path="decision__section"), _of_own_decisions(actor)
    if deciding is None or own is None:
        return own if deciding is None else deciding
    return deciding and deciding | own


@grants(AttendanceSummary)
def those_in_charge_see_who_falls_short_in_their_units(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, VIEW_SUMMARY))


@grants(AttendanceSummary)
def those_in_charge_of_programs_see_which_of_their_students_fall_short(actor: Any) -> Q | None:
    programs = scopes_of(actor, VIEW_SUMMARY).programs
    if not programs:
        return None
    return Q(enrollment__in=Enrollment.objects.filter(in_programs(programs, path="student")).values("pk"))


@grants(AttendanceSummary)
def instructors_see_who_falls_short_in_the_sections_they_teach(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(section__in=sections_taught_by(person)) if person else None


@grants(AttendanceSummary)
def advisors_see_which_of_their_advisees_fall_short(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    if not person:
        return None
    advisees = Student.objects.filter(advisor=person).values("pk")
    return Q(enrollment__in=Enrollment.objects.filter(student__in=advisees).values("pk"))


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


@grants(Substitution)
@grants(SubstitutionOffer, "manage")
def whoever_proposed_a_substitution_sees_it(actor: Any) -> Q | None:
    """Of those who see a proposal one may answer it: which one, the service says."""
    return Q(proposed_by=actor.pk) if getattr(actor, "pk", None) else None


@grants(Substitution)
@grants(SubstitutionOffer, "manage")
def whoever_is_asked_to_substitute_sees_it(actor: Any) -> Q | None:
    return _of_faculty(actor, path="substitute")


@grants(Substitution)
@grants(SubstitutionOffer, "manage")
def teachers_see_who_is_asked_in_their_place(actor: Any) -> Q | None:
    return _of_faculty(actor, path="instructor")


@grants(Substitution)
@grants(SubstitutionOffer, "manage")
def those_in_charge_see_the_substitutions_of_their_sections(actor: Any) -> Q | None:
    return _in_units(scopes_of(actor, "attendance.view_substitution"), path="session__section")


@grants(Substitution, "manage")
def teachers_manage_what_they_proposed_in_their_own_place(actor: Any) -> Q | None:
    own = _of_faculty(actor, path="instructor")
    return own and own & Q(proposed_by=actor.pk)


@grants(Substitution, "manage")
def whoever_may_move_a_session_manages_its_substitutions(actor: Any) -> Q | None:
    rows = visible(ClassSession.objects.all(), actor, to="manage")
    if rows.query.is_empty():
        return None
    return Q(session__in=rows.values("pk")) if rows.query.where else Q()


@grants(SubstitutionEvent)
def whoever_sees_a_substitution_sees_what_became_of_it(actor: Any) -> Q | None:
    rows = visible(Substitution.objects.all(), actor)
    if rows.query.is_empty():
        return None
    return Q(substitution__in=rows.values("pk")) if rows.query.where else Q()


@grants(ExcuseRequest)
def students_their_advisors_and_those_in_charge_see_excuses(actor: Any) -> Q | None:
    return _of_students(actor, "attendance.view_excuserequest", path="student")


@grants(ExcuseRequest, "manage")
def students_and_those_in_charge_ask_for_excuses(actor: Any) -> Q | None:
    return _of_students(actor, "attendance.change_excuserequest", path="student", advisees=False)


@grants(ExcuseEvent)
def students_and_those_who_decide_see_what_was_decided(actor: Any) -> Q | None:
    return _of_students(actor, "attendance.view_excuseevent", path="excuse__student", advisees=False)


@masks(ExcuseRequest, "kind", "statement", custom_fields=True)
def students_and_those_who_decide_know_why_somebody_is_excused(actor: Any) -> Q | None:
    return _of_students(actor, "attendance.view_protected_excuserequest", path="student", advisees=False)


@masks(ExcuseEvent, "reason")
def students_and_those_who_decide_know_why_it_was_decided_so(actor: Any) -> Q | None:
    return _of_students(actor, "attendance.view_protected_excuserequest", path="excuse__student", advisees=False)


def _of_own_decisions(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    if not person:
        return None
    own = Enrollment.objects.filter(student__in=Student.objects.filter(person=person).values("pk"))
    return Q(decision__in=EligibilityDecision.objects.filter(enrollment__in=own.values("pk")).values("pk"))


def _of_students(actor: Any, permission: str, *, path: str, advisees: bool = True) -> Q | None:
    """Match what belongs to the students for whom a role of the actor holds the permission."""
    students = for_whom(actor, permission, advisees=advisees)
    return Q(**{f"{path}__in": Student.objects.filter(students).values("pk")}) if students else students


def _of_faculty(actor: Any, *, path: str) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(**{f"{path}__in": Faculty.objects.filter(person=person).values("pk")}) if person else None


def _in_units(scopes: Scopes, *, path: str = "section") -> Q | None:
    if scopes.everywhere:
        return Q()
    found = Q()
    if scopes.departments:
        courses = Course.objects.filter(below(scopes.departments))
        found |= Q(**{f"{path}__in": Section.objects.filter(course__in=courses.values("pk")).values("pk")})
    if scopes.sections:
        found |= Q(**{f"{path}__in": sections_assisted_in(scopes.sections)})
    return found or None
