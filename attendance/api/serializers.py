"""The JSON shapes of dated sessions, and of who was there."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance.models import AttendanceCode, ClassSession, Source
from attendance.models.records import MOST_MINUTES
from core.api.bulk_frames import MAX_ITEMS
from core.api.fields import MadeField, VisibleRelatedField
from core.api.serializers import BaseListSerializer, ModelWriteSerializer, WriteSerializer
from courses.models import Course, Section
from departments.api.serializers import RoomBrief, TermBrief
from departments.models import Room
from enrollment.api.serializers import EnrolledStudent
from faculty.models import Faculty


class CourseOfSession(BaseListSerializer[Course]):
    class Meta:
        model = Course
        fields = ["id", "code"]


class SectionOfSession(BaseListSerializer[Section]):
    course = CourseOfSession()
    term = TermBrief()

    class Meta:
        model = Section
        fields = ["id", "code", "course", "term"]


class TeacherBrief(BaseListSerializer[Faculty]):
    first_name = serializers.CharField(source="person.first_name")
    last_name = serializers.CharField(source="person.last_name")
    preferred_name = serializers.CharField(source="person.preferred_name")

    class Meta:
        model = Faculty
        fields = ["id", "first_name", "last_name", "preferred_name"]


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "integer"},
        "example": {"absent": 2, "present": 27, "unmarked": 1},
    }
)
class CountsField(MadeField):
    """How many who are expected are marked with each code, and how many are not."""


class ClassSessionSerializer(BaseListSerializer[ClassSession]):
    section = SectionOfSession()
    room = RoomBrief(allow_null=True)
    substitute = TeacherBrief(allow_null=True, help_text="Who teaches it in the place of its teacher.")
    counts = CountsField(
        help_text="How many of those who are expected are marked with which code, of those that occur, and how many "
        "are `unmarked`. Null for those who may not see the sheet."
    )

    class Meta:
        model = ClassSession
        fields = [
            "id", "section", "starts_at", "ends_at", "local_date", "planned_on", "room", "substitute", "status",
            "marking", "counts", "gathering", "note", "created_at", "updated_at",
        ]  # fmt: skip


class CancelWriter(WriteSerializer):
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=500,
        help_text="Required once students are being marked, or have been: their marks count no more.",
    )  # fmt: skip


class ReinstateWriter(WriteSerializer):
    request_example: ClassVar = {"reason": "Cancelled by mistake"}

    reason = serializers.CharField(max_length=500)
    room = VisibleRelatedField(
        queryset=Room.objects.select_related("building__campus"),
        required=False,
        allow_null=True,
        help_text="Another room than it had, or null for none. Says nothing where others gather still.",
    )


class OpenWriter(WriteSerializer):
    request_example: ClassVar = {"reason": "Somebody came in late and was not seen"}

    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=500,
        help_text="Why a closed sheet is opened again, which is required then; it stays in the history of the session.",
    )  # fmt: skip


class RescheduleWriter(WriteSerializer):
    request_example: ClassVar = {
        "starts_at": "2026-11-05T08:00:00Z", "ends_at": "2026-11-05T09:00:00Z", "reason": "The heating is broken",
    }  # fmt: skip

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)
    room = VisibleRelatedField(
        queryset=Room.objects.select_related("building__campus"),
        required=False,
        allow_null=True,
        help_text="Another room than it has, or null for none.",
    )


class AttendanceCodeSerializer(BaseListSerializer[AttendanceCode]):
    class Meta:
        model = AttendanceCode
        fields = [
            "id", "code", "label", "weight", "is_exempt", "is_active", "takes_minutes", "late_from", "order",
            "created_at", "updated_at",
        ]  # fmt: skip


class AttendanceCodeWriter(ModelWriteSerializer[AttendanceCode]):
    request_example: ClassVar = {"code": "field_trip", "label": "Field trip", "weight": "1.000", "order": 6}

    class Meta:
        model = AttendanceCode
        fields = ["code", "label", "weight", "is_exempt", "is_active", "takes_minutes", "late_from", "order"]


class RosterEntry(serializers.Serializer[Any]):
    """Somebody who is expected in a session, and what they were marked with; null where nobody marked them."""

    enrollment = serializers.UUIDField(source="pk")
    student = EnrolledStudent()
    code = serializers.CharField(source="mark_code", allow_null=True)
    minutes_late = serializers.IntegerField(source="mark_minutes_late", allow_null=True)
    marked_from = serializers.ChoiceField(Source.choices, source="mark_source", allow_null=True)
    marked_at = serializers.DateTimeField(source="mark_at", allow_null=True)
    marked_by = serializers.UUIDField(source="mark_by", allow_null=True, help_text="The account of whoever did.")


class RosterSummary(serializers.Serializer[Any]):
    """How many of a class are marked with what."""

    session = serializers.UUIDField(source="session.pk")
    marking = serializers.CharField(source="session.marking")
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By code, of those that occur.")
    unmarked = serializers.IntegerField()
    version = serializers.IntegerField(source="session.version", help_text="What a device says it has marked on.")


class RosterSerializer(RosterSummary):
    """A class by name, with what everybody was marked with."""

    entries = RosterEntry(many=True)


class MarkedSerializer(RosterSummary):
    """What became of a class."""

    kept = serializers.ListField(
        child=serializers.UUIDField(), help_text="The enrolments that stay as they were, because they are excused."
    )
    replaced = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="The enrolments of which a code or a reader had said something else than this sheet does.",
    )


class MarkWriter(WriteSerializer):
    """What one student is marked with."""

    enrollment = serializers.UUIDField()
    code = serializers.CharField(max_length=32)
    minutes_late = serializers.IntegerField(min_value=0, max_value=MOST_MINUTES, required=False, allow_null=True)


class RosterWriter(WriteSerializer):
    """Those who are named one by one, and what everybody else is marked with."""

    request_example: ClassVar = {
        "default": "present",
        "marks": [{"enrollment": "01955500-0000-7000-8000-000000000001", "code": "absent"}],
    }

    default = serializers.CharField(
        max_length=32,
        required=False,
        allow_null=True,
        help_text="Without one, those who are not named stay as they are.",
    )
    marks: serializers.ListSerializer[Any] = serializers.ListSerializer(child=MarkWriter(), max_length=MAX_ITEMS)
    client_id = serializers.UUIDField(required=False, allow_null=True)
