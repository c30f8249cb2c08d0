"""The JSON shapes of notifications, and of what people choose."""

from typing import Any

from rest_framework import serializers

from core.api.serializers import BaseListSerializer, WriteSerializer
from notifications.models import LONGEST_TOPIC, Channel, Digest, Notification, QuietHours
from notifications.selectors import Choice
from notifications.topics import Topic, topics

# More than there will ever be topics and channels.
MOST_PREFERENCES = 500


class NotificationSerializer(BaseListSerializer[Notification]):
    """What the caller was told."""

    class Meta:
        model = Notification
        fields = ["id", "topic", "title", "text", "link", "created_at", "read_at"]


class UnreadCount(serializers.Serializer[Any]):
    """How much the caller was told and has not read."""

    unread = serializers.IntegerField()


class ReadCount(serializers.Serializer[Any]):
    """How much of what was unread is read now."""

    read = serializers.IntegerField()


class TopicReader(serializers.Serializer[Topic]):
    """What one can be told about."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a declared field, which the metaclass takes away
    help_text = serializers.CharField()  # type: ignore[assignment]  # as is this
    channels = serializers.ListField(
        child=serializers.ChoiceField(Channel.choices),
        help_text="By which people are told unless they choose otherwise.",
    )
    is_mandatory = serializers.BooleanField(help_text="By these channels it cannot be switched off.")


class PreferenceReader(serializers.Serializer[Choice]):
    """What holds for one topic and channel."""

    topic = serializers.CharField()
    channel = serializers.ChoiceField(Channel.choices)
    is_enabled = serializers.BooleanField()
    digest = serializers.ChoiceField(Digest.choices)


class QuietHoursReader(serializers.ModelSerializer[QuietHours]):
    """Between which local times no mail goes."""

    class Meta:
        model = QuietHours
        fields = ["starts_at", "ends_at", "time_zone"]


class PreferencesReader(serializers.Serializer[Any]):
    """What the caller can be told about, and wants to be."""

    topics = TopicReader(many=True)
    preferences = PreferenceReader(many=True, help_text="One for each topic and channel.")
    quiet_hours = QuietHoursReader(allow_null=True)


class PreferenceWriter(WriteSerializer):
    """A choice for one topic and channel."""

    topic = serializers.CharField(max_length=LONGEST_TOPIC)
    channel = serializers.ChoiceField(Channel.choices)
    is_enabled = serializers.BooleanField()
    digest = serializers.ChoiceField(Digest.choices, default=Digest.AT_ONCE)


class QuietHoursWriter(WriteSerializer):
    """From when, and until when on the same day or the next one."""

    starts_at = serializers.TimeField()
    ends_at = serializers.TimeField()
    time_zone = serializers.CharField(max_length=64, help_text="An IANA name, such as Europe/Vienna.")


class PreferencesWriter(WriteSerializer):
    """All that the caller wants otherwise than the topics say: what is not named is as they do."""

    preferences = serializers.ListField(child=PreferenceWriter(), max_length=MOST_PREFERENCES)
    quiet_hours = QuietHoursWriter(allow_null=True)

    @property
    def request_example(self) -> dict[str, Any]:
        choices = [
            {"topic": each.name, "channel": Channel.EMAIL, "is_enabled": True, "digest": Digest.DAILY}
            for each in topics()[:1]
        ]
        hours = {"starts_at": "22:00:00", "ends_at": "07:00:00", "time_zone": "Europe/Vienna"}
        return {"preferences": choices, "quiet_hours": hours}
