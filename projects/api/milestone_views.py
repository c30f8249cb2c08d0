"""HTTP for what is due in final projects, and for who asks for more time."""

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import filters
from core.api.nested import NestedListViewSet
from core.api.serializers import WriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from projects import services
from projects.api import milestone_serializers as serializers
from projects.api.submission_views import SubmissionWriter
from projects.api.timed import timed
from projects.models import (
    ExtensionRequest,
    ExtensionStatus,
    Milestone,
    MilestoneEvent,
    MilestoneKind,
    MilestoneStatus,
    PlannedMilestone,
)
from projects.selectors import people_behind


class PlannedMilestoneFilter(filters.StrictFilterSet):
    cycle = filters.UUIDFilter(field_name="cycle_id")
    kind = filters.MultipleChoiceFilter(choices=MilestoneKind.choices)

    class Meta:
        model = PlannedMilestone
        fields = ["cycle", "kind"]


class PlannedMilestoneViewSet(UnifiedViewSet[PlannedMilestone]):
    """What is due in every project of a cycle; the projects have it once it is given to them."""

    queryset = PlannedMilestone.objects.all()
    crud = Crud(
        create=services.plan_milestone,
        update=services.update_planned_milestone,
        delete=services.delete_planned_milestone,
    )
    list_serializer_class = serializers.PlannedMilestoneSerializer
    write_serializer_class = serializers.PlannedMilestoneWriter
    write_serializers = {"create": serializers.NewPlannedMilestoneWriter, "apply": WriteSerializer}
    filterset_class = PlannedMilestoneFilter
    ordering_fields = {"due_at": "due_at"}
    default_ordering = ("due_at",)
    action_permissions = {"apply": "projects.apply_plannedmilestone"}

    @action(detail=True, methods=["post"])
    def apply(self, request: Request, pk: str) -> Response:
        """Give it to every project of the cycle that has nothing of this title."""
        return self.step(request, services.apply_planned_milestone)


class MilestoneFilter(filters.StrictFilterSet):
    project = filters.UUIDFilter(field_name="project_id")
    cycle = filters.UUIDFilter(field_name="project__cycle_id")
    supervisor = filters.UUIDFilter(field_name="project__supervisor_id")
    kind = filters.MultipleChoiceFilter(choices=MilestoneKind.choices)
    status = filters.MultipleChoiceFilter(choices=MilestoneStatus.choices)
    due_from = filters.DateTimeFilter(field_name="due_at", lookup_expr="gte")
    due_to = filters.DateTimeFilter(field_name="due_at", lookup_expr="lte")

    class Meta:
        model = Milestone
        fields = ["project", "cycle", "supervisor", "kind", "status", "due_from", "due_to"]


class MilestoneViewSet(UnifiedViewSet[Milestone]):
    """What is due in final projects, and how far each is."""

    queryset = Milestone.objects.all()
    discloses = Disclosure("project milestone", "project_id", behind=people_behind)
    crud = Crud(
        create=timed(services.create_milestone), update=services.update_milestone, delete=services.delete_milestone
    )
    list_serializer_class = serializers.MilestoneSerializer
    write_serializer_class = serializers.MilestoneWriter
    write_serializers = {
        "create": serializers.NewMilestoneWriter,
        "submit": SubmissionWriter,
        "accept": serializers.MilestoneAcceptanceWriter,
        "send_back": serializers.MilestoneReturnWriter,
    }
    filterset_class = MilestoneFilter
    ordering_fields = {"due_at": "due_at", "created_at": "created_at"}
    default_ordering = ("due_at",)
    action_permissions = {
        "submit": "projects.submit_milestone",
        **dict.fromkeys(("accept", "send_back"), "projects.judge_milestone"),
    }
    stated_steps = ("accept", "send_back")

    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str) -> Response:
        """Hand it in: a new version, which stays as it is."""
        return self.step(request, services.submit_milestone)

    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Accept what was submitted.

        `If-Match` has to name the tag of what was read, since that is what is judged.
        """
        return self.step(request, services.accept_milestone)

    @action(detail=True, methods=["post"], url_path="return")
    def send_back(self, request: Request, pk: str) -> Response:
        """Give back what was submitted, to be done better.

        `If-Match` has to name the tag of what was read, since that is what is judged.
        """
        return self.step(request, services.return_milestone)


class MilestoneEventViewSet(NestedListViewSet[MilestoneEvent]):
    """The steps of a milestone from one status to another, the latest first."""

    queryset = MilestoneEvent.objects.all()
    discloses = Disclosure("project milestone history", "milestone.project_id", behind=people_behind)
    parent_field = "milestone"
    list_serializer_class = serializers.MilestoneEventSerializer
    ordering_fields = {"happened_at": "happened_at"}
    default_ordering = ("-happened_at",)


class ExtensionRequestFilter(filters.StrictFilterSet):
    milestone = filters.UUIDFilter(field_name="milestone_id")
    project = filters.UUIDFilter(field_name="milestone__project_id")
    status = filters.MultipleChoiceFilter(choices=ExtensionStatus.choices)

    class Meta:
        model = ExtensionRequest
        fields = ["milestone", "project", "status"]


class ExtensionRequestViewSet(UnifiedViewSet[ExtensionRequest]):
    """Who asks for more time until something is due, and what was decided."""

    queryset = ExtensionRequest.objects.all()
    discloses = Disclosure("extension request", "milestone.project_id", behind=people_behind)
    crud = Crud(create=services.request_extension)
    list_serializer_class = serializers.ExtensionRequestSerializer
    write_serializer_class = serializers.NewExtensionRequestWriter
    write_serializers = dict.fromkeys(("grant", "refuse"), serializers.ExtensionAnswerWriter)
    filterset_class = ExtensionRequestFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = dict.fromkeys(("grant", "refuse"), "projects.decide_extensionrequest")

    @action(detail=True, methods=["post"])
    def grant(self, request: Request, pk: str) -> Response:
        """Give the time that is asked for."""
        return self.step(request, services.grant_extension)

    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: str) -> Response:
        """Give no more time."""
        return self.step(request, services.refuse_extension)
