"""Fields of which the OpenAPI document says more than drf-spectacular can guess."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension

Schema = dict[str, Any]


class TimeExtension(OpenApiSerializerFieldExtension):
    """A time of day belongs to no time zone, so it is not what JSON Schema calls a time."""

    target_class = "rest_framework.fields.TimeField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Schema:
        pattern = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"
        return {"type": "string", "format": "time-local", "pattern": pattern}


def expandable_field(brief: Schema, full: Schema) -> Schema:
    """Describe a related row that is shown in brief, and in full where the caller includes it."""
    alternatives = brief.get("oneOf") or brief.get("anyOf") or [brief]
    return {"anyOf": [*alternatives, full]}
