"""The JSON shapes of faculty."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.people import NewPartFields, PartWriter, PersonContactFields, PersonNameFields
from accounts.api.serializers import UserBrief
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, WriteSerializer
from core.customfields.api.fields import CustomFieldsField
from departments.api.serializers import DepartmentBrief
from faculty.models import Faculty, FacultyAppointment, FacultyStatus, FacultyStatusEvent


class FacultySerializer(PersonNameFields, BaseListSerializer[Faculty]):
    department = DepartmentBrief()
    custom_fields = CustomFieldsField()

    expandable = {"department": "departments.api.serializers.DepartmentSerializer"}

    class Meta:
        model = Faculty
        fields = [
            "id", "employee_no", "first_name", "last_name", "preferred_name", "email", "rank", "status", "department",
            "custom_fields", "created_at", "updated_at",
        ]  # fmt: skip


class FacultyDetailSerializer(PersonContactFields, FacultySerializer):
    class Meta(FacultySerializer.Meta):
        fields = [*FacultySerializer.Meta.fields, "person", "phone", "employment_type", "fte", "salary"]


class FacultyWriter(PartWriter[Faculty]):
    # The directory is read by many: what is protected about a person is not written here, either.
    person_fields = ("first_name", "last_name", "preferred_name", "email", "phone")

    appointed_on = serializers.DateField(
        required=False,
        allow_null=True,
        write_only=True,
        help_text="The first day of the rank and the department; today if left out.",
    )
    custom_fields = CustomFieldsField()

    class Meta:
        model = Faculty
        fields = [
            "employee_no", "rank", "employment_type", "department", "status", "fte", "salary", "appointed_on",
            "custom_fields",
        ]  # fmt: skip


class NewFacultyWriter(NewPartFields, FacultyWriter):
    request_example: ClassVar = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "employee_no": "E1001",
        "rank": "professor",
        "department": "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44",
    }

    class Meta(FacultyWriter.Meta):
        fields = [*FacultyWriter.Meta.fields, "person"]


class ChangeFacultyStatusWriter(WriteSerializer):
    status = serializers.ChoiceField(FacultyStatus.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class FacultyAppointmentSerializer(BaseDetailSerializer[FacultyAppointment]):
    department = DepartmentBrief()
    ends_on = serializers.DateField(
        source="valid.upper", allow_null=True, help_text="The first day after it; null while it lasts."
    )

    class Meta:
        model = FacultyAppointment
        fields = ["id", "department", "rank", "starts_on", "ends_on", "created_at", "updated_at"]


class FacultyStatusEventSerializer(BaseDetailSerializer[FacultyStatusEvent]):
    actor = UserBrief(allow_null=True)

    class Meta:
        model = FacultyStatusEvent
        fields = ["id", "from_status", "to_status", "actor", "reason", "happened_at"]
