"""The JSON shapes of sections and who teaches them."""

from typing import Any

from rest_framework import serializers

from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.customfields.api.fields import CustomFieldsField
from courses.api.serializers.catalogue import CourseSerializer
from courses.api.serializers.timetable import ItemWriter, SectionMeetingRow, SectionMeetingWriter
from courses.models import InstructorRole, Section, SectionStatus
from departments.models import Campus, Term
from faculty.models import Faculty


class SectionCampus(BaseListSerializer[Campus]):
    class Meta:
        model = Campus
        fields = ["id", "code", "name"]


class SectionTerm(BaseListSerializer[Term]):
    class Meta:
        model = Term
        fields = ["id", "code"]


class SectionCourse(serializers.Serializer[Any]):
    """The course of a section, under the title it has in that term."""

    id = serializers.UUIDField(source="course_id")
    code = serializers.CharField(source="course.code")
    title = serializers.CharField(source="course_version.title")


class InstructorFaculty(serializers.Serializer[Any]):
    """A member of the faculty as a section names them."""

    id = serializers.UUIDField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    preferred_name = serializers.CharField()


class SectionInstructorRow(serializers.Serializer[Any]):
    """Who teaches a section, as what and how much of it."""

    faculty = InstructorFaculty()
    role = serializers.ChoiceField(InstructorRole.choices)
    share = serializers.DecimalField(max_digits=5, decimal_places=2, help_text="Per cent of the load.")


class SectionSerializer(BaseListSerializer[Section]):
    course = SectionCourse(source="*")
    term = SectionTerm()
    campus = SectionCampus(allow_null=True)
    seats_left = serializers.IntegerField()
    instructors = SectionInstructorRow(source="instructor_rows", many=True)
    meetings = SectionMeetingRow(source="meeting_rows", many=True)
    custom_fields = CustomFieldsField()

    expandable = {
        "course": CourseSerializer,
        "term": "departments.api.serializers.TermSerializer",
        "campus": "departments.api.serializers.CampusSerializer",
    }

    class Meta:
        model = Section
        fields = [
            "id", "course", "term", "code", "status", "mode", "campus", "capacity", "enrolled_count", "seats_left",
            "waitlist_capacity", "waitlisted_count", "instructors", "meetings", "custom_fields", "created_at",
            "updated_at",
        ]  # fmt: skip


class SectionDetailSerializer(SectionSerializer):
    course_version = serializers.UUIDField(source="course_version_id")

    class Meta(SectionSerializer.Meta):
        fields = [*SectionSerializer.Meta.fields, "course_version", "override_seats", "held_count"]


class InstructorWriter(ItemWriter):
    """Who is to teach a section; without roles the first is primary, without shares all carry the same."""

    faculty = VisibleRelatedField(queryset=Faculty.objects.all())
    role = serializers.ChoiceField(InstructorRole.choices, required=False)
    share = serializers.DecimalField(max_digits=5, decimal_places=2, min_value=0, max_value=100, required=False)


class SectionWriter(ModelWriteSerializer[Section]):
    instructors = serializers.ListField(child=InstructorWriter(), max_length=50, required=False)
    meetings = serializers.ListField(child=SectionMeetingWriter(), max_length=100, required=False)
    custom_fields = CustomFieldsField()

    class Meta:
        model = Section
        fields = [
            "course", "term", "code", "status", "mode", "campus", "capacity", "override_seats", "waitlist_capacity",
            "instructors", "meetings", "custom_fields",
        ]  # fmt: skip


class MoveSectionWriter(WriteSerializer):
    status = serializers.ChoiceField(SectionStatus.choices)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
