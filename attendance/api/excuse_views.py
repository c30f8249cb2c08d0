"""HTTP for excuses: asked for by students, decided by those in charge of them."""

from typing import Any

from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import services
from attendance.api import excuse_serializers as serializers
from attendance.api import filters
from attendance.models import ExcuseEvent, ExcuseRequest
from core.api.nested import NestedListViewSet
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure

DECIDE = "attendance.decide_excuserequest"


def _request(**values: Any) -> ExcuseRequest:
    return services.request_excuse(at=timezone.now(), **values)


class ExcuseViewSet(UnifiedViewSet[ExcuseRequest]):
    """Who asks to be excused for which time, and what was decided.

    Kind, statement and protected documents are shown to the student and those who decide, and null to others.
    """

    queryset = ExcuseRequest.objects.all()
    discloses = Disclosure("excuse", "student.person_id")
    crud = Crud(create=_request, update=services.update_excuse)
    list_serializer_class = serializers.ExcuseSerializer
    write_serializer_class = serializers.ExcuseWriter
    write_serializers = {
        "create": serializers.NewExcuseWriter,
        **dict.fromkeys(("approve", "reject", "revoke"), serializers.DecisionWriter),
    }
    filterset_class = filters.ExcuseFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    searchable = True
    action_permissions = dict.fromkeys(("approve", "reject", "revoke"), DECIDE)
    stated_steps = ("approve", "reject")

    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Excuse the student in the sessions that overlap the time.

        `If-Match` has to name the tag of what was read, since that is what is decided about.
        """
        return self.step(request, services.approve_excuse)

    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Do not excuse the student.

        `If-Match` has to name the tag of what was read, since that is what is decided about.
        """
        return self.step(request, services.reject_excuse)

    @action(detail=True, methods=["post"])
    def revoke(self, request: Request, pk: str) -> Response:
        """Take the approval back, and let every mark be as it would be without it."""
        return self.step(request, services.revoke_excuse)


class ExcuseEventViewSet(NestedListViewSet[ExcuseEvent]):
    """The steps of an excuse from one status to another, the latest first."""

    queryset = ExcuseEvent.objects.all()
    discloses = Disclosure("excuse history", "excuse.student.person_id")
    parent_field = "excuse"
    list_serializer_class = serializers.ExcuseEventSerializer
    ordering_fields = {"happened_at": "happened_at"}
    default_ordering = ("-happened_at",)
