"""The JSON shapes of dated sessions."""

from typing import ClassVar

from rest_framework import serializers

from attendance.models import ClassSession
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, WriteSerializer
from courses.models import Course, Section
from departments.api.serializers import RoomBrief, TermBrief
from departments.models import Room


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


class ClassSessionSerializer(BaseListSerializer[ClassSession]):
    section = SectionOfSession()
    room = RoomBrief(allow_null=True)

    class Meta:
        model = ClassSession
        fields = [
            "id", "section", "starts_at", "ends_at", "local_date", "planned_on", "room", "status", "gathering", "note",
            "created_at", "updated_at",
        ]  # fmt: skip


class CancelWriter(WriteSerializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class RescheduleWriter(CancelWriter):
    request_example: ClassVar = {
        "starts_at": "2026-11-05T08:00:00Z", "ends_at": "2026-11-05T09:00:00Z", "reason": "The heating is broken",
    }  # fmt: skip

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    room = VisibleRelatedField(
        queryset=Room.objects.select_related("building__campus"),
        required=False,
        allow_null=True,
        help_text="Without one, the session takes place in none.",
    )
