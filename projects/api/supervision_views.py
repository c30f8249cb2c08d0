"""HTTP for the log of a supervision."""

from typing import ClassVar

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import UserBrief
from core.api import filters
from core.api.serializers import BaseListSerializer, ModelWriteSerializer, WriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from enrollment.api.serializers import EnrolledStudent
from projects import services
from projects.api.allocation_serializers import FinalProjectBrief
from projects.api.cycle_serializers import ID, SupervisorBrief
from projects.api.timed import timed
from projects.models import LogEntry
from projects.selectors import people_behind

WRITTEN = ["met_at", "minutes", "summary"]


class LogEntrySerializer(BaseListSerializer[LogEntry]):
    project = FinalProjectBrief()
    written_by = UserBrief(allow_null=True)
    student_signed_by = EnrolledStudent(allow_null=True)
    supervisor_signed_by = SupervisorBrief(allow_null=True)

    class Meta:
        model = LogEntry
        fields = [
            "id", "project", *WRITTEN, "written_by", "student_signed_by", "student_signed_at", "supervisor_signed_by",
            "supervisor_signed_at", "created_at", "updated_at",
        ]  # fmt: skip


class LogEntryWriter(ModelWriteSerializer[LogEntry]):
    class Meta:
        model = LogEntry
        fields = WRITTEN


class NewLogEntryWriter(LogEntryWriter):
    request_example: ClassVar = {
        "project": f"{ID}1", "met_at": "2026-11-20T10:00:00Z", "minutes": 45, "summary": "Which sources to read next.",
    }  # fmt: skip

    class Meta(LogEntryWriter.Meta):
        fields = ["project", *WRITTEN]


class LogEntryFilter(filters.StrictFilterSet):
    project = filters.UUIDFilter(field_name="project_id")
    met_from = filters.DateTimeFilter(field_name="met_at", lookup_expr="gte")
    met_to = filters.DateTimeFilter(field_name="met_at", lookup_expr="lte")

    class Meta:
        model = LogEntry
        fields = ["project", "met_from", "met_to"]


class LogEntryViewSet(UnifiedViewSet[LogEntry]):
    """What was said in the meetings of a supervision, and who has signed that it was."""

    queryset = LogEntry.objects.all()
    discloses = Disclosure("supervision log", "project_id", behind=people_behind)
    crud = Crud(
        create=timed(services.write_log_entry),
        update=timed(services.update_log_entry),
        delete=services.delete_log_entry,
    )
    list_serializer_class = LogEntrySerializer
    write_serializer_class = LogEntryWriter
    write_serializers = {"create": NewLogEntryWriter, "sign": WriteSerializer}
    filterset_class = LogEntryFilter
    ordering_fields = {"met_at": "met_at"}
    default_ordering = ("-met_at",)
    action_permissions = {"sign": "projects.sign_logentry"}
    stated_steps = ("sign",)

    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        """Sign it as whoever one is; once both sides have, it stays as it is.

        `If-Match` has to name the tag of what was read, since that is what is signed.
        """
        return self.step(request, services.sign_log_entry)
