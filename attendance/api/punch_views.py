"""HTTP for what readers have seen: reported in whole batches, with what became of each report, and listed."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance import services
from attendance.models import Punch, PunchOutcome
from core.api import filters
from core.api.bulk_frames import MAX_ITEMS
from core.api.parameters import UnknownParameterError
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.api.viewsets import BaseViewSet
from core.errors import raise_all
from core.recording import Disclosure
from enrollment.api.serializers import EnrolledStudent


class PunchWriter(WriteSerializer):
    """Which event of which reader, whose credential, and when."""

    reader = serializers.CharField(max_length=32)
    external_event_id = serializers.CharField(max_length=100)
    credential = serializers.CharField(max_length=200, trim_whitespace=False)
    at = serializers.DateTimeField()


class PunchesWriter(WriteSerializer):
    """What readers have seen, up to a thousand events."""

    request_example: ClassVar = {
        "items": [
            {
                "reader": "north-1.07", "external_event_id": "88121", "credential": "04A2B1C3",
                "at": "2026-10-12T07:01:12Z",
            }
        ]
    }  # fmt: skip

    items: serializers.ListSerializer[Any] = serializers.ListSerializer(child=PunchWriter(), max_length=MAX_ITEMS)


class PunchSerializer(BaseListSerializer[Punch]):
    """Whom a reader has seen and when, and what came of it."""

    reader = serializers.CharField(source="reader.code", help_text="The reader's code.")
    student = EnrolledStudent()
    session = serializers.UUIDField(source="session_id", allow_null=True)

    class Meta:
        model = Punch
        fields = ["id", "reader", "external_event_id", "student", "session", "at", "outcome", "created_at"]


class PunchFilter(filters.StrictFilterSet):
    reader = filters.UUIDFilter(field_name="reader_id")
    student = filters.UUIDFilter(field_name="student_id")
    session = filters.UUIDFilter(field_name="session_id")
    outcome = filters.MultipleChoiceFilter(choices=PunchOutcome.choices)
    seen_from = filters.DateTimeFilter(field_name="at", lookup_expr="gte")
    seen_before = filters.DateTimeFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Punch
        fields = ["reader", "student", "session", "outcome", "seen_from", "seen_before"]


class TakenSerializer(serializers.Serializer[Any]):
    """What became of one report: its outcome, or the code of why it is not believed."""

    index = serializers.IntegerField()
    status = serializers.ChoiceField(["taken", "known", "refused"])
    outcome = serializers.ChoiceField(PunchOutcome.choices, allow_null=True)
    code = serializers.CharField(allow_null=True)
    detail = serializers.CharField(allow_blank=True)


class PunchesSerializer(serializers.Serializer[Any]):
    """What became of every report, in the order of the request."""

    taken = serializers.IntegerField()
    known = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = TakenSerializer(many=True)


class PunchViewSet(BaseViewSet[Punch]):
    """What readers have seen, reported by the programs that read them, and what came of it."""

    queryset = Punch.objects.all()
    discloses = Disclosure("attendance", "student.person_id")
    list_serializer_class = PunchSerializer
    write_serializers = {"take": PunchesWriter}
    filterset_class = PunchFilter
    ordering_fields = {"at": "at", "created_at": "created_at"}
    default_ordering = ("-at",)
    action_permissions = {"take": "attendance.add_punch"}

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action == "take":
            raise_all([UnknownParameterError(field=name) for name in request.query_params])

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return PunchesSerializer if self.action == "take" else super().get_response_serializer()

    def take(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take what readers have seen; an event that is reported again changes nothing."""
        seen = [services.Seen(**item) for item in self.validated(request.data)["items"]]
        results = [_result(*each) for each in enumerate(services.take_punches(seen, by=self.actor, at=timezone.now()))]
        counts = {name: sum(each["status"] == name for each in results) for name in ("taken", "known", "refused")}
        return Response(PunchesSerializer({**counts, "results": results}).data)


def _result(index: int, taken: services.Taken) -> dict[str, Any]:
    if taken.refused is not None:
        refused = taken.refused
        return {"index": index, "status": "refused", "outcome": None, "code": refused.code, "detail": refused.detail}
    status = "known" if taken.is_known else "taken"
    return {"index": index, "status": status, "outcome": taken.outcome, "code": None, "detail": ""}
