"""The JSON shapes of privacy."""

from rest_framework import serializers

from accounts.api.serializers import PersonBrief, UserBrief
from accounts.models import Person
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, WriteSerializer
from privacy.models import SubjectExport


class SubjectExportSerializer(BaseDetailSerializer[SubjectExport]):
    person = PersonBrief()
    requested_by = UserBrief()

    class Meta:
        model = SubjectExport
        fields = [
            "id", "person", "requested_by", "reason", "state", "failure", "sha256", "size", "rows", "ready_at",
            "expires_at", "downloaded_at", "created_at", "updated_at",
        ]  # fmt: skip


class SubjectExportWriter(WriteSerializer):
    person = VisibleRelatedField(
        queryset=Person.objects.all(), required=False, help_text="Left out, it is about whoever asks."
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Needed for the data of somebody else."
    )
