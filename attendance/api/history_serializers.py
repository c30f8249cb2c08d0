"""The JSON shapes of what happened on a sheet."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.serializers import UserBrief
from attendance.models import Source
from enrollment.api.serializers import EnrolledStudent


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {}, "minItems": 2, "maxItems": 2},
        "example": {"marking": ["closed", "open"]},
    }
)
class ChangesField(serializers.DictField):
    """By what of a session changed: the value before and the one after."""


class SheetStepField(serializers.Serializer[Any]):
    """That a session was opened, closed, locked, moved, cancelled or made."""

    at = serializers.DateTimeField()
    actor = UserBrief(allow_null=True)
    changes = ChangesField(help_text="By what changed: the value before and the one after; empty when it was made.")
    reason = serializers.CharField()


class MarkOfStep(serializers.Serializer[Any]):
    """What a student was marked with, and by whom."""

    code = serializers.CharField()
    minutes_late = serializers.IntegerField(allow_null=True)
    marked_from = serializers.ChoiceField(Source.choices, source="source")
    marked_by = serializers.UUIDField(allow_null=True, help_text="The account; null of a machine.")


class MarkStepField(serializers.Serializer[Any]):
    """That somebody was marked, marked otherwise, or is marked no more."""

    at = serializers.DateTimeField()
    actor = UserBrief(allow_null=True)
    enrollment = serializers.UUIDField(source="enrollment.pk")
    student = EnrolledStudent(source="enrollment.student")
    before = MarkOfStep(allow_null=True, help_text="Null of the first mark.")
    after = MarkOfStep(allow_null=True, help_text="Null of a mark that was taken away.")
    reason = serializers.CharField(help_text="Why the sheet was last opened again, or changed while it was closed.")


class SheetHistorySerializer(serializers.Serializer[Any]):
    """What happened on a sheet, the latest step first."""

    session = serializers.UUIDField(source="session.pk")
    steps = SheetStepField(many=True)
    marks = MarkStepField(many=True)
