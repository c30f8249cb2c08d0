"""The JSON shapes of allocations, of what came of them, and of who does which project."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from core.api.fields import IdField, VisibleRelatedField
from core.api.serializers import BaseListSerializer, ModelWriteSerializer, WriteSerializer
from enrollment.api.serializers import EnrolledStudent
from projects.api.cycle_serializers import ID, CycleBrief, SupervisorBrief, TopicBrief
from projects.matching import Basis, Shortage
from projects.models import AllocationOutcome, AllocationRun, FinalYearProject, ProjectCycle, ProjectMember

COUNTS = [
    "students_count", "placed_count", "first_choices_count", "proposals_count", "small_groups_count",
    "passed_over_count",
]  # fmt: skip
# More than any cycle has.
MOST = 20_000


class AllocationRunSerializer(BaseListSerializer[AllocationRun]):
    cycle = CycleBrief()
    requested_by = UserBrief(allow_null=True)
    published_by = UserBrief(allow_null=True)

    class Meta:
        model = AllocationRun
        fields = [
            "id", "cycle", "algorithm", "input_hash", *COUNTS, "requested_by", "published_at", "published_by",
            "created_at", "updated_at",
        ]  # fmt: skip


class MeritWriter(WriteSerializer):
    student = IdField()
    merit = serializers.DecimalField(max_digits=9, decimal_places=4, help_text="More is better.")


class RankingWriter(WriteSerializer):
    supervisor = IdField()
    students = serializers.ListField(child=IdField(), max_length=MOST, help_text="Best first.")


class AllocationRunWriter(WriteSerializer):
    """A cycle, and whom supervisors prefer; who is named without wanting a topic is passed over, and counted."""

    request_example: ClassVar = {"cycle": f"{ID}1", "merits": [{"student": f"{ID}2", "merit": "3.4000"}]}

    cycle = VisibleRelatedField(queryset=ProjectCycle.objects.all(), to="manage")
    merits = serializers.ListField(
        child=MeritWriter(),
        required=False,
        max_length=MOST,
        help_text="Such as grade averages; who is not named has none.",
    )
    rankings = serializers.ListField(
        child=RankingWriter(),
        required=False,
        max_length=MOST,
        help_text="Whom supervisors want before all others.",
    )


class MissedTopic(serializers.Serializer[Any]):
    """A topic that was wanted more than what was given, and why it was not given."""

    topic = serializers.UUIDField()
    rank = serializers.IntegerField()
    shortage = serializers.ChoiceField(choices=[each.value for each in Shortage], help_text="What had no place left.")
    places = serializers.IntegerField(help_text="How many places there are, all held by others who are ahead.")
    basis = serializers.ChoiceField(
        choices=[each.value for each in Basis], help_text="By what whoever has the last of them is ahead."
    )


class AllocationOutcomeSerializer(BaseListSerializer[AllocationOutcome]):
    student = EnrolledStudent()
    topic = TopicBrief(allow_null=True)
    missed = MissedTopic(many=True)

    class Meta:
        model = AllocationOutcome
        fields = ["id", "run", "student", "topic", "rank", "merit", "missed", "created_at"]


class FinalProjectBrief(BaseListSerializer[FinalYearProject]):
    id = serializers.UUIDField(source="project_id")

    class Meta:
        model = FinalYearProject
        fields = ["id", "code", "topic_local", "topic_en"]


class ProjectMemberSerializer(BaseListSerializer[ProjectMember]):
    project = FinalProjectBrief()
    supervisor = SupervisorBrief()
    student = EnrolledStudent()

    class Meta:
        model = ProjectMember
        fields = [
            "id", "project", "cycle", "supervisor", "student", "is_active", "contribution", "created_at", "updated_at",
        ]  # fmt: skip


class ProjectMemberWriter(ModelWriteSerializer[ProjectMember]):
    class Meta:
        model = ProjectMember
        fields = ["is_active", "contribution"]


class NewProjectMemberWriter(ModelWriteSerializer[ProjectMember]):
    class Meta:
        model = ProjectMember
        fields = ["project", "student"]
