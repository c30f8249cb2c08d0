"""The JSON shape of a version of a policy."""

from typing import ClassVar

from rest_framework import serializers

from attendance.api.serializers import CourseOfSession, SectionOfSession
from attendance.models import AttendancePolicy
from core.api.serializers import BaseListSerializer, ModelWriteSerializer
from departments.api.serializers import DepartmentBrief, ProgramBrief

ASKS = [
    "threshold", "condonation_floor", "basis", "rounding", "late_after", "late_weight", "lates_per_absence",
    "lock_after", "alert_after",
]  # fmt: skip


class AttendancePolicySerializer(BaseListSerializer[AttendancePolicy]):
    department = DepartmentBrief(allow_null=True)
    program = ProgramBrief(allow_null=True)
    course = CourseOfSession(allow_null=True)
    section = SectionOfSession(allow_null=True)
    starts_on = serializers.DateField(source="valid.lower", allow_null=True, help_text="Null: since ever.")
    ends_on = serializers.DateField(
        source="valid.upper", allow_null=True, help_text="The first day after it; null when it is open."
    )

    class Meta:
        model = AttendancePolicy
        fields = [
            "id", *AttendancePolicy.SCOPES, "starts_on", "ends_on", *ASKS, "created_at", "updated_at",
        ]  # fmt: skip


class AttendancePolicyWriter(ModelWriteSerializer[AttendancePolicy]):
    request_example: ClassVar = {"starts_on": "2027-09-01", "threshold": "80.00", "condonation_floor": "70.00"}

    starts_on = serializers.DateField(required=False, allow_null=True)
    ends_on = serializers.DateField(required=False, allow_null=True)

    class Meta:
        model = AttendancePolicy
        fields = [*AttendancePolicy.SCOPES, "starts_on", "ends_on", *ASKS]
        # Nobody makes a policy for the whole institution by sending nothing.
        extra_kwargs: ClassVar = {"threshold": {"required": True}}
