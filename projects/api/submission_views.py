"""HTTP for what was handed in."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from core.api import filters
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.api.viewsets import BaseViewSet
from core.recording import Disclosure
from files.models import FileAsset
from projects.api.cycle_serializers import ID
from projects.api.milestone_serializers import MilestoneBrief
from projects.models import Submission, SubmissionDecision, SubmissionFile
from projects.models.milestones import LONGEST_TEXT
from projects.models.submissions import MOST_FILES
from projects.selectors import people_behind


class SubmissionWriter(WriteSerializer):
    """What is handed in; what somebody may read, they may hand in."""

    request_example: ClassVar = {"statement": "The first three chapters.", "files": [f"{ID}1"]}

    statement = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_TEXT)
    files = serializers.ListField(
        child=VisibleRelatedField(queryset=FileAsset.objects.live()),
        required=False,
        max_length=MOST_FILES,
        help_text="In the order in which they are to be read.",
    )


class SubmittedFile(BaseListSerializer[SubmissionFile]):
    id = serializers.UUIDField(source="asset_id")
    name = serializers.CharField(source="asset.name")
    media_type = serializers.CharField(source="asset.media_type")
    size = serializers.IntegerField(source="asset.size")
    sha256 = serializers.CharField(source="asset.sha256")

    class Meta:
        model = SubmissionFile
        fields = ["id", "position", "name", "media_type", "size", "sha256"]


class SubmissionSerializer(BaseListSerializer[Submission]):
    milestone = MilestoneBrief()
    submitted_by = UserBrief(allow_null=True)
    decided_by = UserBrief(allow_null=True)
    decision = serializers.ChoiceField(
        SubmissionDecision.choices, allow_blank=True, help_text="Empty as long as there is none."
    )
    files = SubmittedFile(many=True)

    class Meta:
        model = Submission
        fields = [
            "id", "milestone", "version_no", "statement", "files", "submitted_at", "submitted_by", "due_at", "is_late",
            "decision", "feedback", "decided_by", "decided_at", "created_at", "updated_at",
        ]  # fmt: skip


class SubmissionFilter(filters.StrictFilterSet):
    milestone = filters.UUIDFilter(field_name="milestone_id")
    project = filters.UUIDFilter(field_name="milestone__project_id")
    is_late = filters.BooleanFilter()
    decision = filters.MultipleChoiceFilter(choices=SubmissionDecision.choices)

    class Meta:
        model = Submission
        fields = ["milestone", "project", "is_late", "decision"]


class SubmissionViewSet(BaseViewSet[Submission]):
    """What was handed in for milestones, version by version; none of it changes any more."""

    queryset = Submission.objects.all()
    discloses = Disclosure("project submission", "milestone.project_id", behind=people_behind)
    list_serializer_class = SubmissionSerializer
    filterset_class = SubmissionFilter
    ordering_fields = {"submitted_at": "submitted_at"}
    default_ordering = ("-submitted_at",)
