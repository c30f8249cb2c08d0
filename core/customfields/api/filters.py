"""Query parameters of the definitions."""

from core.api.filters import StrictFilterSet
from core.models import CustomField


class CustomFieldFilter(StrictFilterSet):
    class Meta:
        model = CustomField
        fields = ["entity_type", "field_type", "is_active"]
