"""Sight of sheets: for those who teach the section or substitute there, and those in charge of it."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from accounts.assignments import person_as, scopes_of
from accounts.roles import STAFF
from attendance.models import ClassSession, Roster, SheetHistory
from attendance.selectors import sessions_taken_over_by
from attendance.visibility.units import in_units
from core.masks import masks
from core.visibility import grants, grants_for
from courses.selectors import sections_taught_by


@grants(Roster, "manage")
def instructors_mark_the_sections_they_teach(actor: Any) -> Q | None:
    teacher = person_as(actor, STAFF)
    return Q(section__in=sections_taught_by(teacher)) if teacher else None


@grants(Roster, "manage")
def substitutes_mark_the_sessions_that_they_took_over(actor: Any) -> Q | None:
    """No other session of the section, and for as long as whoever teaches it."""
    person = getattr(actor, "person_id", None)
    return Q(pk__in=sessions_taken_over_by(person)) if person else None


@grants(Roster)
def those_in_charge_see_who_was_in_their_sections(actor: Any) -> Q | None:
    return in_units(scopes_of(actor, "attendance.view_roster"))


@grants(Roster, "manage")
def those_in_charge_mark_the_sections_of_their_units(actor: Any) -> Q | None:
    """A teacher's role that is held for a unit lets nobody mark what they do not teach."""
    return in_units(scopes_of(actor, "attendance.change_classsession"))


@grants(SheetHistory)
def those_who_settle_doubts_see_what_happened_on_the_sheets_of_their_units(actor: Any) -> Q | None:
    """Those in charge and the examination office: whoever teaches is a party to it."""
    return in_units(scopes_of(actor, "attendance.view_sheethistory"))


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
