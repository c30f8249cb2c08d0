"""The JSON shapes of meetings: those of a section, and those of the timetable."""

from collections.abc import Mapping
from typing import Any, cast

from rest_framework import serializers

from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, WriteSerializer
from courses.models import Meeting, Section
from departments.models import Room

TIMES = ("weekday", "starts_at", "ends_at")


class ItemWriter(WriteSerializer):
    """An item within a body; it is complete even where the body itself says only what changes."""

    def needed(self, data: Mapping[str, Any]) -> list[str]:
        """Return the names that the item must have."""
        return [name for name, field in self.fields.items() if field.required]

    def to_internal_value(self, data: Any) -> Any:
        missing = [name for name in self.needed(data) if name not in data] if isinstance(data, Mapping) else []
        errors: dict[str, Any] = {
            name: [serializers.ErrorDetail("This field is required.", "required")] for name in missing
        }
        values: Any = None
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as invalid:
            errors |= cast("dict[str, Any]", invalid.detail)
        if errors:
            raise serializers.ValidationError(errors)
        return values


class MeetingRoom(serializers.Serializer[Any]):
    """Where a section meets."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    building = serializers.CharField(help_text="The building's code.")


class MeetingDates(ItemWriter):
    """The first and the last day of a meeting's span."""

    starts_on = serializers.DateField()
    ends_on = serializers.DateField(help_text="The last day.")


class SpanOfMeeting(serializers.Serializer[Any]):
    """The first and the last day of a meeting's span."""

    starts_on = serializers.DateField(source="dates.lower")
    ends_on = serializers.DateField(source="last_day", help_text="The last day.")


class SectionMeetingRow(serializers.Serializer[Any]):
    """When and where a section meets."""

    id = serializers.UUIDField()
    weekday = serializers.IntegerField(help_text="1 is Monday, 7 is Sunday.")
    starts_at = serializers.TimeField()
    ends_at = serializers.TimeField()
    room = MeetingRoom(allow_null=True)
    dates = MeetingDates()


class MeetingContent(WriteSerializer):
    """When and where a meeting takes place."""

    weekday = serializers.IntegerField(min_value=1, max_value=7, help_text="1 is Monday, 7 is Sunday.")
    starts_at = serializers.TimeField()
    ends_at = serializers.TimeField()
    room = VisibleRelatedField(queryset=Room.objects.all(), required=False, allow_null=True)
    dates = MeetingDates(required=False, allow_null=True, help_text="The days of the term unless given.")
    conflict_waived = serializers.BooleanField(required=False)
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)


class SectionMeetingWriter(MeetingContent, ItemWriter):
    """A meeting of a section: one that exists, named by its `id`, or one of its own."""

    id = VisibleRelatedField(queryset=Meeting.objects.all(), required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name in TIMES:
            fields[name].required = False
        return fields

    def needed(self, data: Mapping[str, Any]) -> list[str]:
        return [] if "id" in data else list(TIMES)


class CourseOfMeeting(serializers.Serializer[Any]):
    """The course of a section that a meeting serves."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    title = serializers.CharField()


class TermOfMeeting(serializers.Serializer[Any]):
    """The term of a section that a meeting serves."""

    id = serializers.UUIDField()
    code = serializers.CharField()


class SectionOfMeeting(serializers.Serializer[Any]):
    """A section that a meeting serves."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    course = CourseOfMeeting()
    term = TermOfMeeting()


class RoomOfMeeting(BaseListSerializer[Room]):
    building = serializers.CharField(source="building.code")

    class Meta:
        model = Room
        fields = ["id", "code", "building"]


class MeetingSerializer(BaseListSerializer[Meeting]):
    room = RoomOfMeeting(allow_null=True)
    dates = SpanOfMeeting(source="*")
    sections = SectionOfMeeting(source="section_rows", many=True)

    expandable = {"room": "departments.api.serializers.RoomSerializer"}

    class Meta:
        model = Meeting
        fields = [
            "id", "weekday", "starts_at", "ends_at", "room", "dates", "conflict_waived", "note", "sections",
            "created_at", "updated_at",
        ]  # fmt: skip


class MeetingWriter(MeetingContent):
    sections = serializers.ListField(
        child=VisibleRelatedField(queryset=Section.objects.select_related("term"), to="manage"),
        min_length=1,
        max_length=50,
        help_text="Those that meet together; the caller is in charge of each of them.",
    )
