"""The JSON shapes of the logs."""

from rest_framework import serializers

from audit.models import Change, Disclosure, Event
from core.api.serializers import BaseListSerializer


class EventSerializer(BaseListSerializer[Event]):
    detail = serializers.JSONField()

    class Meta:
        model = Event
        fields = [
            "id", "at", "action", "actor_id", "actor_label", "on_behalf_of", "subject_kind", "subject_id", "reason",
            "request_id", "key_prefix", "address", "detail",
        ]  # fmt: skip


class ChangeSerializer(BaseListSerializer[Change]):
    changes = serializers.DictField(
        child=serializers.ListField(child=serializers.JSONField()),
        allow_null=True,
        help_text="By column: the value before and the one after; null for what was inserted.",
    )

    class Meta:
        model = Change
        fields = ["id", "at", "table_name", "row_id", "operation", "changes", "actor_id", "key_prefix", "request_id"]


class DisclosureSerializer(BaseListSerializer[Disclosure]):
    class Meta:
        model = Disclosure
        fields = ["id", "at", "what", "subject_id", "actor_id", "actor_label", "key_prefix", "basis", "request_id"]
