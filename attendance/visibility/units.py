"""What is in the units for which an actor holds a role."""

from django.db.models import Q

from accounts.assignments import Scopes
from courses.models import Course, Section
from courses.selectors import sections_assisted_in
from departments.selectors import below


def in_units(scopes: Scopes, *, path: str = "section") -> Q | None:
    """Match what belongs to the sections of these units, by the path that leads to a section; None without any unit."""
    if scopes.everywhere:
        return Q()
    found = Q()
    if scopes.departments:
        courses = Course.objects.filter(below(scopes.departments))
        found |= Q(**{f"{path}__in": Section.objects.filter(course__in=courses.values("pk")).values("pk")})
    if scopes.sections:
        found |= Q(**{f"{path}__in": sections_assisted_in(scopes.sections)})
    return found or None
