"""The JSON shapes of courses, their versions and requisites."""

from typing import Any, ClassVar

from rest_framework import serializers

from core.api.fields import ExactNumberField, VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.customfields.api.fields import CustomFieldsField
from courses.models import Course, CourseVersion, Requisite
from departments.models import Department


class CreditsField(ExactNumberField):
    """A number of credits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=5, decimal_places=2, min_value=0, **options)


class CourseDepartment(BaseListSerializer[Department]):
    class Meta:
        model = Department
        fields = ["id", "code", "name"]


class CourseBrief(BaseListSerializer[Course]):
    class Meta:
        model = Course
        fields = ["id", "code"]


class CourseSerializer(BaseListSerializer[Course]):
    title = serializers.CharField(source="current_version.title")
    credits = CreditsField(source="current_version.credits")
    credits_max = CreditsField(
        source="current_version.credits_max",
        allow_null=True,
        help_text="Null unless the course has variable credit.",
    )
    department = CourseDepartment()
    custom_fields = CustomFieldsField()

    expandable = {"department": "departments.api.serializers.DepartmentSerializer"}

    class Meta:
        model = Course
        fields = [
            "id", "code", "title", "credits", "credits_max", "department", "level", "is_active", "custom_fields",
            "created_at", "updated_at",
        ]  # fmt: skip


class CourseDetailSerializer(CourseSerializer):
    description = serializers.CharField(source="current_version.description")
    is_repeatable = serializers.BooleanField(source="current_version.is_repeatable")
    current_version = serializers.UUIDField(source="current_version_id")

    class Meta(CourseSerializer.Meta):
        fields = [*CourseSerializer.Meta.fields, "description", "is_repeatable", "current_version"]


class VersionContent(WriteSerializer):
    """What a course is, whichever the version."""

    title = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=20_000, allow_blank=True, required=False)
    credits = CreditsField()
    credits_max = CreditsField(required=False, allow_null=True)
    is_repeatable = serializers.BooleanField(required=False)


class CourseWriter(ModelWriteSerializer[Course], VersionContent):
    custom_fields = CustomFieldsField()

    class Meta:
        model = Course
        fields = [
            "code", "title", "description", "credits", "credits_max", "is_repeatable", "department", "level",
            "is_active", "custom_fields",
        ]  # fmt: skip


class NewCourseWriter(CourseWriter):
    starts_on = serializers.DateField(
        required=False, allow_null=True, help_text="Since when the first version is in effect; null for ever."
    )

    class Meta(CourseWriter.Meta):
        fields = [*CourseWriter.Meta.fields, "starts_on"]


class CourseVersionSerializer(BaseDetailSerializer[CourseVersion]):
    course = CourseBrief()
    starts_on = serializers.DateField(source="valid.lower", allow_null=True)
    ends_on = serializers.DateField(
        source="valid.upper", allow_null=True, help_text="The first day after it; null when it is open."
    )

    class Meta:
        model = CourseVersion
        fields = [
            "id", "course", "version_no", "title", "description", "credits", "credits_max", "is_repeatable",
            "starts_on", "ends_on", "created_at", "updated_at",
        ]  # fmt: skip


class StartVersionWriter(VersionContent):
    title = serializers.CharField(max_length=255, required=False)
    credits = CreditsField(required=False)
    starts_on = serializers.DateField(help_text="The first day on which the course is this.")


class RequisiteSerializer(BaseDetailSerializer[Requisite]):
    course = CourseBrief(source="course_version.course")
    course_version = serializers.UUIDField(source="course_version_id")
    expr = serializers.DictField(help_text="A tree of `all`, `any`, `course`, `credits`, `standing` and so on.")

    class Meta:
        model = Requisite
        fields = ["id", "course", "course_version", "kind", "expr", "created_at", "updated_at"]


class RequisiteWriter(ModelWriteSerializer[Requisite]):
    request_example: ClassVar = {
        "course_version": "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44",
        "kind": "pre",
        "expr": {"credits": 30},
    }

    course_version = VisibleRelatedField(
        queryset=CourseVersion.objects.all(), help_text="The version that requires it, such as a course's current one."
    )
    expr = serializers.DictField(help_text='Such as {"all": [{"course": "CS101", "min_grade": "C"}, {"credits": 30}]}.')

    class Meta:
        model = Requisite
        fields = ["course_version", "kind", "expr"]
