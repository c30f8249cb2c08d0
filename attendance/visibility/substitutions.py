"""Sight of substitutions: for those who are asked, those in whose place, and those in charge."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from attendance.models import ClassSession, Substitution, SubstitutionEvent, SubstitutionOffer
from attendance.visibility.units import in_units
from core.visibility import grants, visible
from faculty.models import Faculty


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
    return in_units(scopes_of(actor, "attendance.view_substitution"), path="session__section")


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


def _of_faculty(actor: Any, *, path: str) -> Q | None:
    person = getattr(actor, "person_id", None)
    return Q(**{f"{path}__in": Faculty.objects.filter(person=person).values("pk")}) if person else None
