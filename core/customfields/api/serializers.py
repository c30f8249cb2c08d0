"""The JSON shapes of definitions."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.serializers import BaseModelSerializer, ModelWriteSerializer
from core.customfields import services
from core.customfields.selectors import customizable_models
from core.customfields.values import shown
from core.models import CustomField

CHOICE = {
    "type": "object",
    "properties": {"value": {"type": "string"}, "label": {"type": "string"}},
    "required": ["value"],
}
VALUE = {
    "anyOf": [
        {"type": "string"},
        {"type": "number"},
        {"type": "boolean"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "null"},
    ]
}


@extend_schema_field({"type": "array", "items": CHOICE})
class ChoicesField(serializers.JSONField):
    """The choices of a selection; a bare text stands for a choice whose label is its value."""


@extend_schema_field(VALUE)
class DefaultValueField(serializers.JSONField):
    """A value of the field that is being defined."""

    def to_representation(self, value: Any) -> Any:
        return shown(value)


class CustomFieldReader(BaseModelSerializer[CustomField]):
    """A definition."""

    choices = ChoicesField()
    default_value = DefaultValueField()

    class Meta:
        model = CustomField
        fields = ["id", *services.CustomFieldValues.__annotations__, "archived_at", "created_at", "updated_at"]


class CustomFieldWriter(ModelWriteSerializer[CustomField]):
    """What a definition is made of; whether its options fit its type is the service's question."""

    choices = ChoicesField(required=False)
    default_value = DefaultValueField(required=False, allow_null=True)

    class Meta:
        model = CustomField
        fields = list(services.CustomFieldValues.__annotations__)
        # A blank may be part of an expression.
        extra_kwargs: ClassVar = {"validation_regex": {"trim_whitespace": False}}

    @property
    def request_example(self) -> Mapping[str, Any]:
        """Define a field of whichever records come first by name."""
        return {
            "entity_type": min(customizable_models()),
            "name": "cost_centre",
            "label": "Cost centre",
            "field_type": "text",
        }
