"""The JSON shapes of checking in by oneself."""

from typing import Any, ClassVar

from rest_framework import serializers

from attendance.models import CheckInEvent, CheckInWindow, Flag
from attendance.models.check_in import MOST_METRES
from attendance.services import Place
from core.api.fields import ExactNumberField
from core.api.serializers import BaseListSerializer, WriteSerializer
from enrollment.api.serializers import EnrolledStudent

MOST_NETWORKS = 20


class _Latitude(ExactNumberField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=8, decimal_places=6, min_value=-90, max_value=90, **options)


class _Longitude(ExactNumberField):
    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=9, decimal_places=6, min_value=-180, max_value=180, **options)


class CheckInWindowSerializer(BaseListSerializer[CheckInWindow]):
    """From when until when the students of a session check in, and from where."""

    class Meta:
        model = CheckInWindow
        fields = [
            "id", "session", "opens_at", "closes_at", "networks", "latitude", "longitude", "radius_m", "created_at",
            "updated_at",
        ]  # fmt: skip


class CheckInTokenSerializer(serializers.Serializer[Any]):
    """What the projector shows, until when, and how many have checked in."""

    token = serializers.CharField(
        source="token.token", default=None, allow_null=True, help_text="What the QR code says, while there is one."
    )
    shown_until = serializers.DateTimeField(
        source="token.ends_at", default=None, allow_null=True, help_text="Ask for the next one then."
    )
    opens_at = serializers.DateTimeField(source="window.opens_at", default=None, allow_null=True)
    closes_at = serializers.DateTimeField(source="window.closes_at", default=None, allow_null=True)
    checked_in = serializers.IntegerField()


class PlaceWriter(WriteSerializer):
    """Where one has to be."""

    latitude = _Latitude()
    longitude = _Longitude()
    radius_m = serializers.IntegerField(min_value=1, max_value=MOST_METRES)

    def to_internal_value(self, data: Any) -> Any:
        return Place(**super().to_internal_value(data))


class OpenCheckInWriter(WriteSerializer):
    """From when until when, and from where; a quarter of an hour from now, and from anywhere, unless said otherwise."""

    request_example: ClassVar = {"networks": ["10.20.0.0/16"]}

    opens_at = serializers.DateTimeField(required=False, allow_null=True)
    closes_at = serializers.DateTimeField(required=False, allow_null=True)
    networks = serializers.ListField(
        child=serializers.CharField(max_length=43), required=False, max_length=MOST_NETWORKS
    )
    place = PlaceWriter(required=False, allow_null=True)


class CheckInWriter(WriteSerializer):
    """The code that is on the wall, and what the device calls itself, which is always the same."""

    request_example: ClassVar = {
        "token": "0195550000007000800000000000000a.175000000.c2lnbmF0dXJlLXNpZ25h",  # pragma: allowlist secret
        "device_key": "6f0c0b9d7d6b4c7f8a51",  # pragma: allowlist secret
    }

    token = serializers.CharField(max_length=100)
    device_key = serializers.CharField(min_length=16, max_length=200)
    latitude = _Latitude(required=False, allow_null=True)
    longitude = _Longitude(required=False, allow_null=True)


class ReviewWriter(WriteSerializer):
    note = serializers.CharField(required=False, allow_blank=True, max_length=500)


class OwnCheckInSerializer(BaseListSerializer[CheckInEvent]):
    """What became of one's own attempt."""

    class Meta:
        model = CheckInEvent
        fields = ["id", "session", "outcome", "at"]


class CheckInEventSerializer(BaseListSerializer[CheckInEvent]):
    student = EnrolledStudent()
    flags = serializers.ListField(child=serializers.ChoiceField(Flag.choices))

    class Meta:
        model = CheckInEvent
        fields = [
            "id", "session", "section", "student", "outcome", "at", "address", "latitude", "longitude", "flags",
            "reviewed_at", "note", "created_at", "updated_at",
        ]  # fmt: skip
