"""The JSON shapes of students and their programs."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.people import NewPartFields, PartWriter, PersonFields, PersonNameFields
from accounts.api.serializers import PersonBrief, UserBrief
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.customfields.api.fields import CustomFieldsField
from departments.api.serializers import DepartmentBrief, ProgramBrief, TermBrief
from departments.models import Program
from students.models import (
    ProgramEnrollment,
    ProgramEnrollmentEvent,
    ProgramEnrollmentStatus,
    Student,
    StudentStatus,
    StudentStatusEvent,
)


class StudentBrief(BaseListSerializer[Student]):
    name = serializers.CharField(source="person.name")

    class Meta:
        model = Student
        fields = ["id", "student_no", "name"]


class StudentSerializer(PersonNameFields, BaseListSerializer[Student]):
    department = DepartmentBrief()
    program = ProgramBrief(source="primary_enrollment.program", allow_null=True)
    cohort = serializers.CharField(source="primary_enrollment.cohort", default="")
    custom_fields = CustomFieldsField()

    expandable = {"department": "departments.api.serializers.DepartmentSerializer"}

    class Meta:
        model = Student
        fields = [
            "id", "student_no", "first_name", "last_name", "preferred_name", "email", "status", "department", "program",
            "cohort", "admitted_on", "custom_fields", "created_at", "updated_at",
        ]  # fmt: skip


class StudentDetailSerializer(PersonFields, StudentSerializer):
    advisor = PersonBrief(allow_null=True)

    class Meta(StudentSerializer.Meta):
        fields = [
            *StudentSerializer.Meta.fields, "person", "advisor", "preferred_contact", "phone", "birth_date", "gender",
            "nationality", "home_address", "accommodation_note", "directory_opt_out",
        ]  # fmt: skip


class StudentWriter(PartWriter[Student]):
    program = VisibleRelatedField(
        queryset=Program.objects.all(),
        allow_null=True,
        required=False,
        help_text="The primary program. Another one takes its place, and the student is withdrawn from the former.",
    )
    cohort = serializers.CharField(max_length=32, allow_blank=True, required=False)
    custom_fields = CustomFieldsField()

    class Meta:
        model = Student
        fields = [
            "student_no", "status", "department", "program", "cohort", "advisor", "admitted_on", "preferred_contact",
            "home_address", "accommodation_note", "custom_fields",
        ]  # fmt: skip
        extra_kwargs = {
            "student_no": {
                "required": False,
                "allow_blank": True,
                "help_text": "Unique, and final once it is issued; left out, the next number is issued.",
            }
        }


class NewStudentWriter(NewPartFields, StudentWriter):
    request_example: ClassVar = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "department": "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44",
    }

    class Meta(StudentWriter.Meta):
        fields = [*StudentWriter.Meta.fields, "person"]


class ChangeStatusWriter(WriteSerializer):
    status = serializers.ChoiceField(StudentStatus.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class DirectoryOptOutWriter(WriteSerializer):
    opted_out = serializers.BooleanField(help_text="False to be found in the directory again.")


class StudentStatusEventSerializer(BaseDetailSerializer[StudentStatusEvent]):
    actor = UserBrief(allow_null=True)

    class Meta:
        model = StudentStatusEvent
        fields = ["id", "from_status", "to_status", "actor", "reason", "happened_at"]


class ProgramEnrollmentSerializer(BaseListSerializer[ProgramEnrollment]):
    student = StudentBrief()
    program = ProgramBrief()
    start_term = TermBrief(allow_null=True)

    expandable = {
        "student": StudentSerializer,
        "program": "departments.api.serializers.ProgramSerializer",
        "start_term": "departments.api.serializers.TermSerializer",
    }

    class Meta:
        model = ProgramEnrollment
        fields = [
            "id", "student", "program", "cohort", "start_term", "is_primary", "status", "created_at", "updated_at",
        ]  # fmt: skip


class ProgramEnrollmentWriter(ModelWriteSerializer[ProgramEnrollment]):
    class Meta:
        model = ProgramEnrollment
        fields = ["cohort", "start_term", "is_primary", "status"]


class NewProgramEnrollmentWriter(ModelWriteSerializer[ProgramEnrollment]):
    student = VisibleRelatedField(queryset=Student.objects.all(), to="manage")

    class Meta:
        model = ProgramEnrollment
        fields = ["student", "program", *ProgramEnrollmentWriter.Meta.fields]


class ChangeProgramStatusWriter(WriteSerializer):
    status = serializers.ChoiceField(ProgramEnrollmentStatus.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class ProgramEnrollmentEventSerializer(BaseDetailSerializer[ProgramEnrollmentEvent]):
    actor = UserBrief(allow_null=True)

    class Meta:
        model = ProgramEnrollmentEvent
        fields = ["id", "from_status", "to_status", "actor", "reason", "happened_at"]
