"""HTTP for dated sessions: translate, call one service, represent."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import models
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import services
from attendance.api import filters, serializers
from attendance.models import ClassSession
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud


class ClassSessionViewSet(UnifiedViewSet[ClassSession]):
    """The classes of sections, day by day: made from the weekly timetable, cancelled and moved one by one."""

    queryset = ClassSession.objects.all()
    crud = Crud()
    list_serializer_class = serializers.ClassSessionSerializer
    write_serializers = {"cancel": serializers.CancelWriter, "reschedule": serializers.RescheduleWriter}
    filterset_class = filters.ClassSessionFilter
    ordering_fields = {"starts_at": "starts_at", "created_at": "created_at"}
    default_ordering = ("starts_at",)
    action_permissions = {
        "cancel": "attendance.change_classsession",
        "reschedule": "attendance.change_classsession",
    }

    def lock_ahead(self, rows: models.QuerySet[ClassSession], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock along what gathers with these."""
        services.lock_gatherings(rows.values_list("gathering", flat=True))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Let the section have no class that day."""
        return self.step(request, services.cancel_session)

    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, pk: str) -> Response:
        """Move the session, with all that gather there, to another time and room."""
        return self.step(request, services.reschedule_session)
