"""The JSON shapes of excuses."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from attendance.models import ExcuseEvent, ExcuseRequest
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.customfields.api.fields import CustomFieldsField
from enrollment.api.serializers import EnrolledStudent
from students.models import Student


class ExcuseSerializer(BaseListSerializer[ExcuseRequest]):
    student = EnrolledStudent()
    starts_at = serializers.DateTimeField(source="period.lower")
    ends_at = serializers.DateTimeField(source="period.upper")
    custom_fields = CustomFieldsField()

    class Meta:
        model = ExcuseRequest
        fields = [
            "id", "student", "starts_at", "ends_at", "kind", "statement", "status", "custom_fields", "created_at",
            "updated_at",
        ]  # fmt: skip


class ExcuseWriter(ModelWriteSerializer[ExcuseRequest]):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(help_text="When it is over; at most a year later.")
    custom_fields = CustomFieldsField(required=False)

    class Meta:
        model = ExcuseRequest
        fields = ["kind", "starts_at", "ends_at", "statement", "custom_fields"]


class NewExcuseWriter(ExcuseWriter):
    request_example: ClassVar = {
        "student": "01955500-0000-7000-8000-000000000001", "kind": "medical", "starts_at": "2026-11-05T06:00:00Z",
        "ends_at": "2026-11-06T18:00:00Z", "statement": "I have a fever.",
    }  # fmt: skip

    student = VisibleRelatedField(queryset=Student.objects.all())

    class Meta(ExcuseWriter.Meta):
        fields = ["student", *ExcuseWriter.Meta.fields]


class DecisionWriter(WriteSerializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class ExcuseEventSerializer(BaseDetailSerializer[ExcuseEvent]):
    actor = UserBrief(allow_null=True)

    class Meta:
        model = ExcuseEvent
        fields = ["id", "from_status", "to_status", "actor", "reason", "happened_at"]
