"""The JSON shapes of cycles, of what is offered in them, and of what students prefer."""

from typing import Any, ClassVar

from rest_framework import serializers

from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, ModelWriteSerializer, WriteSerializer
from departments.api.serializers import AcademicYearBrief, ProgramBrief
from enrollment.api.serializers import EnrolledStudent
from faculty.models import Faculty
from projects.models import (
    ProjectApplication,
    ProjectCycle,
    SupervisorCapacity,
    SupervisorRole,
    Topic,
    TopicPreference,
)
from projects.models.cycles import MOST_PREFERENCES
from students.models import Student

PLANNED = [
    "name", "topics_open_at", "preferences_open_at", "preferences_close_at", "defences_open_at", "ends_at",
    "min_group_size", "max_group_size", "most_preferences", "pass_mark", "conditional_pass_mark",
]  # fmt: skip
ID = "01955500-0000-7000-8000-00000000000"


class CycleBrief(BaseListSerializer[ProjectCycle]):
    class Meta:
        model = ProjectCycle
        fields = ["id", "name"]


class SupervisorBrief(BaseListSerializer[Faculty]):
    first_name = serializers.CharField(source="person.first_name")
    last_name = serializers.CharField(source="person.last_name")
    preferred_name = serializers.CharField(source="person.preferred_name")

    class Meta:
        model = Faculty
        fields = ["id", "first_name", "last_name", "preferred_name"]


class ProjectCycleSerializer(BaseListSerializer[ProjectCycle]):
    program = ProgramBrief()
    academic_year = AcademicYearBrief()

    class Meta:
        model = ProjectCycle
        fields = ["id", "program", "academic_year", *PLANNED, "created_at", "updated_at"]


class ProjectCycleWriter(ModelWriteSerializer[ProjectCycle]):
    class Meta:
        model = ProjectCycle
        fields = PLANNED


class NewProjectCycleWriter(ProjectCycleWriter):
    request_example: ClassVar = {
        "program": f"{ID}1", "academic_year": f"{ID}2", "name": "Final projects 2026/27",
        "topics_open_at": "2026-09-01T08:00:00Z", "preferences_open_at": "2026-10-01T08:00:00Z",
        "preferences_close_at": "2026-10-15T22:00:00Z", "defences_open_at": "2027-05-01T08:00:00Z",
        "ends_at": "2027-07-01T08:00:00Z",
    }  # fmt: skip

    class Meta(ProjectCycleWriter.Meta):
        fields = ["program", "academic_year", *PLANNED]


class SupervisorCapacitySerializer(BaseListSerializer[SupervisorCapacity]):
    cycle = CycleBrief()
    faculty = SupervisorBrief()

    class Meta:
        model = SupervisorCapacity
        fields = ["id", "cycle", "faculty", "role", "max_count", "used_count", "created_at", "updated_at"]


class SupervisorCapacityWriter(ModelWriteSerializer[SupervisorCapacity]):
    class Meta:
        model = SupervisorCapacity
        fields = ["max_count"]


class NewSupervisorCapacityWriter(SupervisorCapacityWriter):
    # Nobody is an examiner of anything yet, so that a number of those would bind nobody.
    role = serializers.ChoiceField(
        choices=[(SupervisorRole.SUPERVISOR.value, SupervisorRole.SUPERVISOR.label)], required=False
    )

    class Meta(SupervisorCapacityWriter.Meta):
        fields = ["cycle", "faculty", "role", "max_count"]


class TopicSerializer(BaseListSerializer[Topic]):
    cycle = CycleBrief()
    supervisor = SupervisorBrief()

    class Meta:
        model = Topic
        fields = [
            "id", "cycle", "supervisor", "title_local", "title_en", "description", "places", "taken_count",
            "is_offered", "created_at", "updated_at",
        ]  # fmt: skip


class TopicWriter(ModelWriteSerializer[Topic]):
    class Meta:
        model = Topic
        fields = ["title_local", "title_en", "description", "places", "is_offered"]


class NewTopicWriter(TopicWriter):
    class Meta(TopicWriter.Meta):
        fields = ["cycle", "supervisor", *TopicWriter.Meta.fields]


class TopicBrief(BaseListSerializer[Topic]):
    class Meta:
        model = Topic
        fields = ["id", "title_local", "title_en"]


class TopicPreferenceSerializer(BaseListSerializer[TopicPreference]):
    topic = TopicBrief()

    class Meta:
        model = TopicPreference
        fields = ["rank", "topic"]


class ProjectApplicationSerializer(BaseListSerializer[ProjectApplication]):
    cycle = CycleBrief()
    student = EnrolledStudent()
    preferences = TopicPreferenceSerializer(many=True)

    class Meta:
        model = ProjectApplication
        fields = ["id", "cycle", "student", "preferences", "created_at", "updated_at"]


def _ranked(*, required: bool) -> serializers.Field[Any, Any, Any, Any]:
    return serializers.ListField(
        child=VisibleRelatedField(queryset=Topic.objects.all()),
        min_length=1,
        max_length=MOST_PREFERENCES,
        required=required,
        help_text="Best first.",
    )


class ProjectApplicationWriter(WriteSerializer):
    # They are shown as preferences: without them, those stay.
    topics = _ranked(required=False)


class NewProjectApplicationWriter(WriteSerializer):
    topics = _ranked(required=True)
    cycle = VisibleRelatedField(queryset=ProjectCycle.objects.all())
    student = VisibleRelatedField(queryset=Student.objects.all())
