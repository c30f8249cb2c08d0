"""The JSON shapes of enrolments."""

from typing import Any

from rest_framework import serializers

from core.api.bulk_frames import BulkError
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, WriteSerializer
from courses.models import Section
from departments.models import Term
from enrollment.models import Enrollment, EnrollmentEvent, GradeBasis, Result
from students.models import Student


class EnrolledStudent(BaseListSerializer[Student]):
    name = serializers.CharField(source="person.name")

    class Meta:
        model = Student
        fields = ["id", "student_no", "name"]


class EnrolledCourse(serializers.Serializer[Any]):
    """The course of an enrolment, under the title it has in that term."""

    id = serializers.UUIDField(source="course_id")
    code = serializers.CharField(source="course.code")
    title = serializers.CharField(source="section.course_version.title")


class EnrolledSection(serializers.Serializer[Any]):
    """The section of an enrolment."""

    id = serializers.UUIDField(source="section_id")
    code = serializers.CharField(source="section.code")
    course = EnrolledCourse(source="*")


class EnrolledTerm(BaseListSerializer[Term]):
    class Meta:
        model = Term
        fields = ["id", "code"]


class EnrollmentSerializer(BaseListSerializer[Enrollment]):
    student = EnrolledStudent()
    section = EnrolledSection(source="*")
    term = EnrolledTerm()

    expandable = {
        "student": "students.api.serializers.StudentSerializer",
        "section": "courses.api.serializers.SectionSerializer",
        "term": "departments.api.serializers.TermSerializer",
    }

    class Meta:
        model = Enrollment
        fields = [
            "id", "student", "section", "term", "status", "credits", "grade_basis", "attempt_no", "result",
            "enrolled_at", "dropped_at", "source", "created_at", "updated_at",
        ]  # fmt: skip


class EnrollmentEventSerializer(BaseListSerializer[EnrollmentEvent]):
    overridden = serializers.ListField(child=serializers.CharField(), help_text="The codes of the rules waived.")

    class Meta:
        model = EnrollmentEvent
        fields = ["id", "from_status", "to_status", "overridden", "reason", "happened_at"]


class PreflightWriter(WriteSerializer):
    """Who would like to enrol in what."""

    student = VisibleRelatedField(queryset=Student.objects.all())
    section = VisibleRelatedField(queryset=Section.objects.all())


class EnrollWriter(PreflightWriter):
    """A student and a section; the credits only of a course with variable credit."""

    credits = serializers.DecimalField(max_digits=5, decimal_places=2, min_value=0, required=False)
    grade_basis = serializers.ChoiceField(GradeBasis.choices, required=False)
    override = serializers.BooleanField(
        required=False,
        help_text="Waives what can be waived; takes the permission `enrollment.override_rules` for the section.",
    )
    reason = serializers.CharField(max_length=2000, allow_blank=True, required=False)


class ChangeEnrollmentWriter(WriteSerializer):
    credits = serializers.DecimalField(max_digits=5, decimal_places=2, min_value=0, required=False)
    grade_basis = serializers.ChoiceField(GradeBasis.choices, required=False)


class ReasonWriter(WriteSerializer):
    reason = serializers.CharField(max_length=2000, allow_blank=True, required=False)


class CompleteWriter(ReasonWriter):
    result = serializers.ChoiceField(Result.choices, required=False)


class PreflightResponse(serializers.Serializer[Any]):
    """Whether the enrolment would be accepted now, and everything that stands against it."""

    allowed = serializers.BooleanField()
    violations = BulkError(many=True)
