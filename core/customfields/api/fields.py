"""The field `custom_fields` of the records' serializers."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.customfields.protection import is_known
from core.customfields.selectors import definitions_for
from core.customfields.values import represent
from core.models import CustomizableModel


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "anyOf": [
                {"type": "string"},
                {"type": "boolean"},
                {"type": "array", "items": {"type": "string"}},
                {"type": "null"},
            ]
        },
        "description": "Values of the custom fields by name; see `/api/v1/custom-fields/`. One that is protected is "
        "null for those whose role does not cover it, who may not write it either. Kept in one spelling are e-mail "
        "addresses (in lower case), telephone numbers (without separators), numbers (without trailing zeros) and the "
        "choices of a multiselect (in the order of the definition).",
        "example": {"blood_group": "O+", "languages": ["en", "hi"], "hostel_resident": True, "score": "3.50"},
    }
)
class CustomFieldsField(serializers.Field[Any, Any, Any, Any]):
    """Custom values by name: every active field when read, those to be changed when written.

    It reads the row's `custom_data` and hands what was written to the service, which validates it.
    The serializer's Meta names the model.
    """

    default_error_messages = {"wrong_type": "An object of values by name is expected."}

    def __init__(self, **options: Any) -> None:
        options.setdefault("required", False)
        super().__init__(**options)

    def get_attribute(self, instance: Any) -> Any:
        return instance

    def to_representation(self, value: CustomizableModel) -> dict[str, Any]:
        parent: Any = self.parent
        model = parent.Meta.model
        # Without a request (a report, a test) the root serializer remembers for its own rows.
        holder = self.context.get("request") or self.root
        definitions = definitions_for(holder, model)
        return represent(model, value.custom_data, definitions, with_protected=is_known(value))

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            self.fail("wrong_type")
        return dict(data)
