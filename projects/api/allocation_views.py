"""HTTP for allocations, for what came of them, and for who does which project."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import filters
from core.api.serializers import WriteSerializer
from core.api.viewsets import BaseViewSet, UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from projects import services
from projects.api import allocation_serializers as serializers
from projects.api.timed import timed
from projects.models import AllocationOutcome, AllocationRun, FinalYearProject, ProjectMember


class AllocationRunFilter(filters.StrictFilterSet):
    cycle = filters.UUIDFilter(field_name="cycle_id")
    is_published = filters.BooleanFilter(field_name="published_at", lookup_expr="isnull", exclude=True)

    class Meta:
        model = AllocationRun
        fields = ["cycle", "is_published"]


class AllocationRunViewSet(UnifiedViewSet[AllocationRun]):
    """Attempts at allocating the topics of a cycle: any number of them, of which one is published.

    The same facts come to the same outcomes, by `input_hash`.
    """

    queryset = AllocationRun.objects.all()
    crud = Crud(create=timed(services.run_allocation))
    list_serializer_class = serializers.AllocationRunSerializer
    write_serializer_class = serializers.AllocationRunWriter
    write_serializers = {"publish": WriteSerializer}
    filterset_class = AllocationRunFilter
    left_out_of_lists = ("document",)
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    action_permissions = {"publish": "projects.publish_allocationrun"}

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Make projects of it, and let students see what they got."""
        return self.step(request, services.publish_allocation)


class AllocationOutcomeFilter(filters.StrictFilterSet):
    run = filters.UUIDFilter(field_name="run_id")
    student = filters.UUIDFilter(field_name="student_id")
    topic = filters.UUIDFilter(field_name="topic_id")

    class Meta:
        model = AllocationOutcome
        fields = ["run", "student", "topic"]


class AllocationOutcomeViewSet(BaseViewSet[AllocationOutcome]):
    """What students get by a run, and what stood in the way of more; their own once it is published."""

    queryset = AllocationOutcome.objects.all()
    discloses = Disclosure("project allocation", "student.person_id")
    list_serializer_class = serializers.AllocationOutcomeSerializer
    filterset_class = AllocationOutcomeFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)


class ProjectMemberFilter(filters.StrictFilterSet):
    project = filters.UUIDFilter(field_name="project_id")
    cycle = filters.UUIDFilter(field_name="cycle_id")
    supervisor = filters.UUIDFilter(field_name="supervisor_id")
    student = filters.UUIDFilter(field_name="student_id")
    is_active = filters.BooleanFilter()

    class Meta:
        model = ProjectMember
        fields = ["project", "cycle", "supervisor", "student", "is_active"]


class ProjectMemberViewSet(UnifiedViewSet[ProjectMember]):
    """Who does which final project, and how much of the work is theirs; who leaves stays on record."""

    queryset = ProjectMember.objects.all()
    discloses = Disclosure("project member", "student.person_id")
    crud = Crud(create=timed(services.add_member), update=timed(services.update_member))
    list_serializer_class = serializers.ProjectMemberSerializer
    write_serializer_class = serializers.ProjectMemberWriter
    write_serializers = {"create": serializers.NewProjectMemberWriter}
    filterset_class = ProjectMemberFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)

    def lock_ahead(self, rows: models.QuerySet[ProjectMember], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock the projects that they do, as whoever counts or moves members does."""
        services.hold_projects(FinalYearProject.objects.filter(pk__in=rows.values("project")))
