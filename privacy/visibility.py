"""Sight of exports: one's own, and for those who answer for privacy, that there are others."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from core.visibility import grants
from privacy.models import SubjectExport


@grants(SubjectExport, "manage")
def everybody_sees_and_fetches_the_exports_they_asked_for(actor: Any) -> Q | None:
    return Q(requested_by=actor.pk)


@grants(SubjectExport)
def those_who_answer_for_privacy_see_every_export(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "privacy.view_subjectexport").everywhere else None
