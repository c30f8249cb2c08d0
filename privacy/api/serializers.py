"""The JSON shapes of privacy."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.serializers import PersonBrief, PresentPasswordField, UserBrief
from accounts.models import Person
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, WriteSerializer
from privacy.models import ErasureRequest, LegalHold, SubjectExport


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
    request_example: ClassVar = {"password": "your password"}

    person = VisibleRelatedField(
        queryset=Person.objects.all(), required=False, help_text="Left out, it is about whoever asks."
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Needed for the data of somebody else."
    )
    password = PresentPasswordField(
        help_text="Needed for one's own data. An account without one has to have been logged in to just now."
    )


class ErasureRequestSerializer(BaseDetailSerializer[ErasureRequest]):
    person = PersonBrief()
    requested_by = UserBrief(allow_null=True)
    decided_by = UserBrief(allow_null=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), help_text="How many rows were concerned, by table."
    )

    class Meta:
        model = ErasureRequest
        fields = [
            "id", "person", "requested_by", "reason", "state", "decided_by", "decided_at", "erased_at", "failure",
            "counts", "created_at", "updated_at",
        ]  # fmt: skip


class ErasureRequestWriter(WriteSerializer):
    person = VisibleRelatedField(
        queryset=Person.objects.all(), required=False, help_text="Left out, it is whoever asks."
    )
    reason = serializers.CharField(
        required=False, allow_blank=True, max_length=500, help_text="Needed for somebody else."
    )


class StatedReasonWriter(WriteSerializer):
    reason = serializers.CharField(max_length=500, help_text="It goes on record.")


class LegalHoldSerializer(BaseDetailSerializer[LegalHold]):
    person = PersonBrief()
    placed_by = UserBrief(allow_null=True)
    released_by = UserBrief(allow_null=True)

    class Meta:
        model = LegalHold
        fields = [
            "id", "person", "reason", "placed_by", "placed_at", "released_by", "released_at", "created_at",
            "updated_at",
        ]  # fmt: skip


class LegalHoldWriter(WriteSerializer):
    person = VisibleRelatedField(queryset=Person.objects.all())
    reason = serializers.CharField(max_length=500, help_text="The case or order that it is for.")
