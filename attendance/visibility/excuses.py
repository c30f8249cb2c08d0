"""Sight of excuses: for the student, their advisor and those in charge; why, for those who decide."""

from typing import Any

from django.db.models import Q

from attendance.models import ExcuseEvent, ExcuseRequest
from core.masks import masks
from core.visibility import grants
from students.models import Student
from students.selectors import for_whom


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


def _of_students(actor: Any, permission: str, *, path: str, advisees: bool = True) -> Q | None:
    """Match what belongs to the students for whom a role of the actor holds the permission."""
    students = for_whom(actor, permission, advisees=advisees)
    return Q(**{f"{path}__in": Student.objects.filter(students).values("pk")}) if students else students
