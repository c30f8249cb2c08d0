"""Sight of who may sit the examination by attendance, and of why.

Decisions are shown to whoever sees the attendance of the enrolment; what they rest on, to the student and those who
decide.
"""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from attendance.models import Condonation, DecisionRun, EligibilityDecision
from attendance.visibility.standings import DECIDE
from attendance.visibility.units import in_units
from core.masks import masks
from core.visibility import grants
from enrollment.models import Enrollment
from students.models import Student


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
    deciding = in_units(scopes_of(actor, DECIDE))
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
    return in_units(scopes_of(actor, "attendance.view_condonation"), path="decision__section")


@masks(Condonation, custom_fields=True)
def students_and_those_who_decide_know_what_a_condonation_rests_on(actor: Any) -> Q | None:
    deciding, own = in_units(scopes_of(actor, DECIDE), path="decision__section"), _of_own_decisions(actor)
    if deciding is None or own is None:
        return own if deciding is None else deciding
    return deciding and deciding | own


def _of_own_decisions(actor: Any) -> Q | None:
    person = getattr(actor, "person_id", None)
    if not person:
        return None
    own = Enrollment.objects.filter(student__in=Student.objects.filter(person=person).values("pk"))
    return Q(decision__in=EligibilityDecision.objects.filter(enrollment__in=own.values("pk")).values("pk"))
