"""Serializer fields that refuse to name what the caller cannot see."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from core.visibility import Sight, visible


class VisibleRelatedField(serializers.PrimaryKeyRelatedField[Any]):
    """A foreign key in a request body: an invisible row answers exactly like a missing one.

    With `to="manage"` the caller must be able to manage the row it names.
    """

    default_error_messages = {
        "does_not_exist": "There is no such row.",
        "incorrect_type": "Expected an id as a string.",
    }

    def __init__(self, *, to: Sight = "view", **options: Any) -> None:
        self.sight = to
        options.setdefault("pk_field", serializers.UUIDField())
        super().__init__(**options)

    def get_queryset(self) -> QuerySet[Any]:
        queryset = super().get_queryset()
        if queryset is None:
            raise TypeError(f"{self.field_name} names no queryset")
        return visible(queryset, self.context["request"].user, to=self.sight)

    def to_representation(self, value: Any) -> str:
        return str(value.pk)
