"""Sight of definitions."""

from typing import Any

from django.db.models import Q

from core.models import CustomField
from core.visibility import grants


@grants(CustomField)
def everybody_sees_definitions(actor: Any) -> Q:
    """Whoever shows or fills in a form needs them."""
    return Q()


@grants(CustomField, "manage")
def those_who_may_change_definitions_manage_them(actor: Any) -> Q | None:
    return Q() if actor.has_perm("core.change_customfield") else None
