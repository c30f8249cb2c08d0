"""The JSON shapes of what is due in final projects, and of who asks for more time."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, ModelWriteSerializer, WriteSerializer
from projects.api.allocation_serializers import FinalProjectBrief
from projects.api.cycle_serializers import ID, CycleBrief
from projects.models import ExtensionRequest, Milestone, MilestoneEvent, PlannedMilestone
from projects.models.milestones import LONGEST_TEXT

DUE = ["kind", "title", "due_at", "weight"]
EXAMPLE = {"kind": "proposal", "title": "Proposal", "due_at": "2026-11-30T22:00:00Z", "weight": "10.00"}


class PlannedMilestoneSerializer(BaseListSerializer[PlannedMilestone]):
    cycle = CycleBrief()

    class Meta:
        model = PlannedMilestone
        fields = ["id", "cycle", *DUE, "created_at", "updated_at"]


class PlannedMilestoneWriter(ModelWriteSerializer[PlannedMilestone]):
    class Meta:
        model = PlannedMilestone
        fields = DUE


class NewPlannedMilestoneWriter(PlannedMilestoneWriter):
    request_example: ClassVar = {"cycle": f"{ID}1", **EXAMPLE}

    class Meta(PlannedMilestoneWriter.Meta):
        fields = ["cycle", *DUE]


class MilestoneSerializer(BaseListSerializer[Milestone]):
    project = FinalProjectBrief()

    class Meta:
        model = Milestone
        fields = [
            "id",
            "project",
            *DUE,
            "extended_until",
            "status",
            "submission_count",
            "planned",
            "created_at",
            "updated_at",
        ]


class MilestoneWriter(ModelWriteSerializer[Milestone]):
    class Meta:
        model = Milestone
        fields = DUE


class NewMilestoneWriter(MilestoneWriter):
    request_example: ClassVar = {"project": f"{ID}1", **EXAMPLE}

    class Meta(MilestoneWriter.Meta):
        fields = ["project", *DUE]


class MilestoneAcceptanceWriter(WriteSerializer):
    feedback = serializers.CharField(required=False, allow_blank=True, max_length=LONGEST_TEXT)


class MilestoneReturnWriter(WriteSerializer):
    feedback = serializers.CharField(max_length=LONGEST_TEXT, help_text="What is to be done better.")


class MilestoneEventSerializer(BaseDetailSerializer[MilestoneEvent]):
    actor = UserBrief(allow_null=True)

    class Meta:
        model = MilestoneEvent
        fields = ["id", "from_status", "to_status", "actor", "reason", "happened_at"]


class MilestoneBrief(BaseListSerializer[Milestone]):
    class Meta:
        model = Milestone
        fields = ["id", "project", "title", "due_at"]


class ExtensionRequestSerializer(BaseListSerializer[ExtensionRequest]):
    milestone = MilestoneBrief()
    requested_by = UserBrief(allow_null=True)
    decided_by = UserBrief(allow_null=True)

    class Meta:
        model = ExtensionRequest
        fields = [
            "id", "milestone", "until", "reason", "status", "answer", "requested_by", "decided_by", "decided_at",
            "created_at", "updated_at",
        ]  # fmt: skip


class NewExtensionRequestWriter(ModelWriteSerializer[ExtensionRequest]):
    request_example: ClassVar = {
        "milestone": f"{ID}1", "until": "2026-12-07T22:00:00Z", "reason": "The laboratory is closed for a week.",
    }  # fmt: skip

    class Meta:
        model = ExtensionRequest
        fields = ["milestone", "until", "reason"]


class ExtensionAnswerWriter(WriteSerializer):
    answer = serializers.CharField(required=False, allow_blank=True, max_length=2000)
