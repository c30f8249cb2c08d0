"""HTTP for cycles, for what is offered in them, and for what students prefer."""

from typing import Any

from django.utils import timezone

from core.api import filters
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from projects import services
from projects.api import cycle_serializers as serializers
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
    crud = Crud(create=services.create_cycle, update=services.update_cycle, delete=services.delete_cycle)
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


def _offer(**values: Any) -> Topic:
    return services.offer_topic(at=timezone.now(), **values)


def _change(topic: Topic, **changes: Any) -> Topic:
    return services.update_topic(topic, at=timezone.now(), **changes)


def _delete(topic: Topic, *, by: Any) -> None:
    services.delete_topic(topic, by=by, at=timezone.now())


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
    crud = Crud(create=_offer, update=_change, delete=_delete)
    list_serializer_class = serializers.TopicSerializer
    write_serializer_class = serializers.TopicWriter
    write_serializers = {"create": serializers.NewTopicWriter}
    filterset_class = TopicFilter
    ordering_fields = {"created_at": "created_at", "title_local": "title_local"}
    default_ordering = ("-created_at",)


def _apply(**values: Any) -> ProjectApplication:
    return services.apply_for_topics(at=timezone.now(), **values)


def _rank(application: ProjectApplication, **changes: Any) -> ProjectApplication:
    return services.rank_topics(application, at=timezone.now(), **changes)


def _withdraw(application: ProjectApplication, *, by: Any) -> None:
    services.withdraw_application(application, by=by, at=timezone.now())


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
    crud = Crud(create=_apply, update=_rank, delete=_withdraw)
    list_serializer_class = serializers.ProjectApplicationSerializer
    write_serializer_class = serializers.ProjectApplicationWriter
    write_serializers = {"create": serializers.NewProjectApplicationWriter}
    filterset_class = ProjectApplicationFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
