"""Sight of definitions. Managing them is granted by the layer that knows who holds which role for what."""

from typing import Any

from django.db.models import Q

from core.models import CustomField
from core.visibility import grants


@grants(CustomField)
def everybody_sees_definitions(actor: Any) -> Q:
    """Whoever shows a record or fills in a form needs them."""
    return Q()
