"""What a read shows of references, sent back as it stands: an object where a write takes an id.

A client that reads a row, changes some of it and sends all of it back means nothing by the rest. What stands is taken
for the ids that it shows. An object that was changed is none: which of its members was meant would be a guess.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


def is_as_shown(field: Any, value: Any) -> bool:
    """Say whether a value holds what reads show and writes do not take: an object for an id, other names."""
    if isinstance(value, list):
        child = _child_of(field)
        return any(is_as_shown(child, each) for each in value)
    if not isinstance(value, Mapping):
        return False
    if isinstance(field, serializers.Serializer):
        fields = field.fields
        return any(name not in fields or is_as_shown(fields[name], inner) for name, inner in value.items())
    return isinstance(field, serializers.PrimaryKeyRelatedField)


def as_written(field: Any, shown: Any) -> Any:
    """Return what a write takes for what a read shows under a field."""
    if isinstance(shown, list):
        child = _child_of(field)
        return [as_written(child, each) for each in shown]
    if not isinstance(shown, Mapping):
        return shown
    if isinstance(field, serializers.PrimaryKeyRelatedField):
        return shown.get("id", shown)
    if isinstance(field, serializers.Serializer):
        return {name: as_written(field.fields[name], value) for name, value in shown.items() if name in field.fields}
    return shown


def _child_of(field: Any) -> Any:
    return getattr(field, "child", None) or getattr(field, "child_relation", field)
