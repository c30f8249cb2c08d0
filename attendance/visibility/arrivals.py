"""Sight of who came: of check-ins for those who mark the class, of readers and cards for the whole institution."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from attendance.models import CheckInEvent, Credential, Punch, Reader
from attendance.selectors import sessions_taken_over_by
from attendance.visibility.sheets import instructors_mark_the_sections_they_teach
from attendance.visibility.units import in_units
from core.visibility import grants


@grants(CheckInEvent, "manage")
def instructors_look_at_check_ins_to_the_sections_they_teach(actor: Any) -> Q | None:
    return instructors_mark_the_sections_they_teach(actor)


@grants(CheckInEvent, "manage")
def substitutes_look_at_check_ins_to_the_sessions_that_they_took_over(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(session__in=sessions_taken_over_by(person)) if person else None


@grants(CheckInEvent)
def those_in_charge_see_who_checked_in_to_their_sections(actor: Any) -> Q | None:
    return in_units(scopes_of(actor, "attendance.view_checkinevent"))


@grants(CheckInEvent, "manage")
def those_in_charge_look_at_check_ins_to_their_sections(actor: Any) -> Q | None:
    return in_units(scopes_of(actor, "attendance.change_classsession"))


@grants(Reader, "manage")
@grants(Credential, "manage")
def those_in_charge_of_the_institution_manage_readers_and_cards(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.change_reader").everywhere else None


@grants(Reader)
@grants(Credential)
@grants(Punch)
def those_who_see_everything_see_what_readers_have_seen(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "attendance.view_punch").everywhere else None
