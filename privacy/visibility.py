"""Sight of what was asked about people's data: one's own requests, and all for those who answer for privacy."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from core.visibility import grants
from privacy.models import ErasureRequest, LegalHold, SubjectExport


@grants(SubjectExport, "manage")
def everybody_sees_and_fetches_the_exports_they_asked_for(actor: Any) -> Q | None:
    return Q(requested_by=actor.pk)


@grants(SubjectExport)
def those_who_answer_for_privacy_see_every_export(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "privacy.view_subjectexport").everywhere else None


@grants(ErasureRequest)
def everybody_sees_the_erasures_they_asked_for(actor: Any) -> Q | None:
    return Q(requested_by=actor.pk)


@grants(ErasureRequest)
def those_who_answer_for_privacy_see_every_erasure(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "privacy.view_erasurerequest").everywhere else None


@grants(ErasureRequest, "manage")
def those_who_decide_on_erasures_manage_them(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "privacy.change_erasurerequest").everywhere else None


@grants(LegalHold)
def those_who_answer_for_privacy_see_every_hold(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "privacy.view_legalhold").everywhere else None


@grants(LegalHold, "manage")
def those_who_place_holds_manage_them(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "privacy.change_legalhold").everywhere else None
