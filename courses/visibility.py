"""Sight of the catalogue and the timetable: everybody sees it, those in charge manage their part."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.assignments import scopes_of
from core.visibility import grants
from courses.models import (
    Course,
    CourseVersion,
    Meeting,
    MeetingSection,
    Requisite,
    RequisiteCourse,
    Section,
    SectionInstructor,
    SectionStatusEvent,
)
from departments.selectors import below


@grants(Course)
@grants(CourseVersion)
@grants(Requisite)
@grants(RequisiteCourse)
@grants(Section)
@grants(SectionInstructor)
@grants(SectionStatusEvent)
@grants(Meeting)
@grants(MeetingSection)
def everybody_sees_what_is_taught(actor: Any) -> Q | None:
    return Q()


@grants(Course, "manage")
def those_in_charge_manage_the_courses_of_their_departments(actor: Any) -> Q | None:
    scopes = scopes_of(actor, "courses.change_course")
    if scopes.everywhere:
        return Q()
    return below(scopes.departments) if scopes.departments else None


@grants(CourseVersion, "manage")
def those_in_charge_manage_the_versions_of_their_courses(actor: Any) -> Q | None:
    scopes = scopes_of(actor, "courses.change_courseversion")
    if scopes.everywhere:
        return Q()
    return Q(course__in=Course.objects.filter(below(scopes.departments)).values("pk")) if scopes.departments else None


@grants(Requisite, "manage")
def those_in_charge_manage_the_requisites_of_their_courses(actor: Any) -> Q | None:
    scopes = scopes_of(actor, "courses.change_requisite")
    if scopes.everywhere:
        return Q()
    if not scopes.departments:
        return None
    courses = Course.objects.filter(below(scopes.departments))
    return Q(course_version__in=CourseVersion.objects.filter(course__in=courses).values("pk"))


@grants(Section, "manage")
def those_in_charge_manage_the_sections_of_their_courses(actor: Any) -> Q | None:
    scopes = scopes_of(actor, "courses.change_section")
    if scopes.everywhere:
        return Q()
    return Q(course__in=Course.objects.filter(below(scopes.departments)).values("pk")) if scopes.departments else None


@grants(Section, "manage")
def those_in_charge_of_single_sections_manage_these(actor: Any) -> Q | None:
    sections = scopes_of(actor, "courses.change_section").sections
    return Q(pk__in=sections) if sections else None


@grants(Meeting, "manage")
def those_in_charge_manage_the_meetings_of_their_sections(actor: Any) -> Q | None:
    """Of sections that meet together one has to be in charge of each."""
    scopes = scopes_of(actor, "courses.change_meeting")
    if scopes.everywhere:
        return Q()
    if not scopes.departments and not scopes.sections:
        return None
    courses = Course.objects.filter(below(scopes.departments))
    sections = Section.objects.filter(Q(course__in=courses.values("pk")) | Q(pk__in=scopes.sections))
    foreign = MeetingSection.objects.filter(meeting=OuterRef("pk")).exclude(section__in=sections.values("pk"))
    served = MeetingSection.objects.filter(section__in=sections.values("pk"))
    return Q(pk__in=served.values("meeting")) & ~Q(Exists(foreign))
