"""Sight of faculty: the directory is for everybody who may ask for it, those in charge see their own whole."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, Q

from accounts.assignments import scopes_of
from core.foreseen import foresees
from core.masks import masks
from core.visibility import grants
from departments.selectors import below
from faculty.models import LISTED, Faculty, FacultyAppointment, FacultyStatusEvent


@grants(Faculty)
def everybody_who_may_sees_the_directory(actor: Any) -> Q | None:
    return Q(status__in=LISTED) if actor.has_perm("faculty.view_faculty") else None


@grants(Faculty)
def faculty_see_themselves(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(person=person) if person else None


@grants(Faculty, "manage")
def those_in_charge_manage_the_faculty_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(actor, "faculty.change_faculty", path="department")


@grants(Faculty)
def readers_of_employment_records_see_the_faculty_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(actor, "faculty.view_facultyappointment", path="department")


@grants(FacultyAppointment)
def readers_of_employment_records_see_the_posts_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(actor, "faculty.view_facultyappointment", path="faculty__department")


@grants(FacultyStatusEvent)
def readers_of_employment_records_see_the_history_of_their_departments(actor: Any) -> Q | None:
    return _in_departments(actor, "faculty.view_facultystatusevent", path="faculty__department")


@grants(FacultyAppointment)
@grants(FacultyStatusEvent)
def faculty_see_their_own_history(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(faculty__in=Faculty.objects.filter(person=person).values("pk")) if person else None


@masks(Faculty, "person__phone", "employment_type", "fte", custom_fields=True)
def those_who_employ_faculty_and_they_themselves_know_the_terms(actor: Any) -> Q | None:
    return _employed_or_oneself(actor, "faculty.view_protected_faculty")


@masks(Faculty, "salary")
def those_who_pay_faculty_and_they_themselves_know_the_salary(actor: Any) -> Q | None:
    return _employed_or_oneself(actor, "faculty.view_salary")


def _employed_or_oneself(actor: Any, permission: str) -> Q | None:
    person = getattr(actor, "person_id", None)
    employed = _in_departments(actor, permission, path="department")
    if not (scopes_of(actor, permission).own and person):
        return employed
    own = Q(person=person)
    return own if employed is None else employed and employed | own


def _in_departments(actor: Any, permission: str, *, path: str) -> Q | None:
    scopes = scopes_of(actor, permission)
    if scopes.everywhere:
        return Q()
    return below(scopes.departments, path=path) if scopes.departments else None


@foresees(Faculty)
def a_new_member_of_faculty_belongs_to_a_department(values: Mapping[str, Any]) -> Sequence[Model]:
    return [Faculty(department=values.get("department"))]
