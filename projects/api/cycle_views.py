"""HTTP for cycles, for what is offered in them, and for what students prefer."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models

from core.api import filters
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from projects import services
from projects.api import cycle_serializers as serializers
from projects.api.timed import timed
from projects.models import ProjectApplication, ProjectCycle, SupervisorCapacity, SupervisorRole, Topic


class ProjectCycleFilter(filters.StrictFilterSet):
    program = filters.UUIDFilter(field_name="program_id")
    academic_year = filters.UUIDFilter(field_name="academic_year_id")

    class Meta:
        model = ProjectCycle
        fields = ["program", "academic_year"]


class ProjectCycleViewSet(UnifiedViewSet[ProjectCycle]):
    """The final projects of a program in a year: when what happens, in groups of which size, and who passes."""

    queryset = ProjectCycle.objects.all()
    crud = Crud(create=services.create_cycle, update=timed(services.update_cycle), delete=services.delete_cycle)
    list_serializer_class = serializers.ProjectCycleSerializer
    write_serializer_class = serializers.ProjectCycleWriter
    write_serializers = {"create": serializers.NewProjectCycleWriter}
    filterset_class = ProjectCycleFilter
    ordering_fields = {"created_at": "created_at", "name": "name"}
    default_ordering = ("-created_at",)


class SupervisorCapacityFilter(filters.StrictFilterSet):
    cycle = filters.UUIDFilter(field_name="cycle_id")
    faculty = filters.UUIDFilter(field_name="faculty_id")
    role = filters.MultipleChoiceFilter(choices=SupervisorRole.choices)

    class Meta:
        model = SupervisorCapacity
        fields = ["cycle", "faculty", "role"]


class SupervisorCapacityViewSet(UnifiedViewSet[SupervisorCapacity]):
    """How many each member of faculty takes in a cycle, and has taken."""

    queryset = SupervisorCapacity.objects.all()
    crud = Crud(create=services.set_capacity, update=services.update_capacity, delete=services.delete_capacity)
    list_serializer_class = serializers.SupervisorCapacitySerializer
    write_serializer_class = serializers.SupervisorCapacityWriter
    write_serializers = {"create": serializers.NewSupervisorCapacityWriter}
    filterset_class = SupervisorCapacityFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)


class TopicFilter(filters.StrictFilterSet):
    cycle = filters.UUIDFilter(field_name="cycle_id")
    supervisor = filters.UUIDFilter(field_name="supervisor_id")
    is_offered = filters.BooleanFilter()

    class Meta:
        model = Topic
        fields = ["cycle", "supervisor", "is_offered"]


class TopicViewSet(UnifiedViewSet[Topic]):
    """What supervisors offer in a cycle: each their own, and whoever plans the cycle for all."""

    queryset = Topic.objects.all()
    crud = Crud(
        create=timed(services.offer_topic), update=timed(services.update_topic), delete=timed(services.delete_topic)
    )
    list_serializer_class = serializers.TopicSerializer
    write_serializer_class = serializers.TopicWriter
    write_serializers = {"create": serializers.NewTopicWriter}
    filterset_class = TopicFilter
    ordering_fields = {"created_at": "created_at", "title_local": "title_local"}
    default_ordering = ("-created_at",)

    def lock_ahead(self, rows: models.QuerySet[Topic], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Hold what they are offered in, as whoever allocates them does."""
        services.hold_cycles_of(rows)


class ProjectApplicationFilter(filters.StrictFilterSet):
    cycle = filters.UUIDFilter(field_name="cycle_id")
    student = filters.UUIDFilter(field_name="student_id")

    class Meta:
        model = ProjectApplication
        fields = ["cycle", "student"]


class ProjectApplicationViewSet(UnifiedViewSet[ProjectApplication]):
    """Which topics students prefer, best first, while the cycle is open for that."""

    queryset = ProjectApplication.objects.all()
    discloses = Disclosure("project application", "student.person_id")
    crud = Crud(
        create=timed(services.apply_for_topics),
        update=timed(services.rank_topics),
        delete=timed(services.withdraw_application),
    )
    list_serializer_class = serializers.ProjectApplicationSerializer
    write_serializer_class = serializers.ProjectApplicationWriter
    write_serializers = {"create": serializers.NewProjectApplicationWriter}
    filterset_class = ProjectApplicationFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
