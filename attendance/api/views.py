"""HTTP for dated sessions and who was there: translate, call one service, represent."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance import selectors, services
from attendance.api import filters, serializers
from attendance.models import AttendanceCode, ClassSession, Roster
from core.api import etag
from core.api.parameters import UnknownParameterError
from core.api.viewsets import BaseViewSet, UnifiedViewSet
from core.crud import Crud
from core.errors import raise_all
from core.recording import Disclosure


class ClassSessionViewSet(UnifiedViewSet[ClassSession]):
    """The classes of sections, day by day: made from the weekly timetable, cancelled and moved one by one."""

    queryset = ClassSession.objects.all()
    crud = Crud()
    list_serializer_class = serializers.ClassSessionSerializer
    write_serializers = {
        "cancel": serializers.CancelWriter,
        "reinstate": serializers.ReinstateWriter,
        "reschedule": serializers.RescheduleWriter,
    }
    filterset_class = filters.ClassSessionFilter
    ordering_fields = {"starts_at": "starts_at", "created_at": "created_at"}
    default_ordering = ("starts_at",)
    action_permissions = dict.fromkeys(("cancel", "reinstate", "reschedule"), "attendance.change_classsession")

    def lock_ahead(self, rows: models.QuerySet[ClassSession], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock along what gathers with these."""
        services.lock_gathered(rows.values_list("gathering", flat=True))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Let the section have no class that day, for a reason once anybody is marked."""
        return self.step(request, services.cancel_session)

    @action(detail=True, methods=["post"])
    def reinstate(self, request: Request, pk: str) -> Response:
        """Let a cancelled class take place after all; its room and its teachers are taken again."""
        return self.step(request, services.reinstate_session)

    @action(detail=True, methods=["post"])
    def reschedule(self, request: Request, pk: str) -> Response:
        """Move the session, with all that gather there, to another time and room."""
        return self.step(request, services.reschedule_session)


class AttendanceCodeViewSet(UnifiedViewSet[AttendanceCode]):
    """What students can be marked with, and what it counts."""

    queryset = AttendanceCode.objects.all()
    crud = Crud(create=services.create_code, update=services.update_code, delete=services.delete_code)
    list_serializer_class = serializers.AttendanceCodeSerializer
    write_serializer_class = serializers.AttendanceCodeWriter
    filterset_class = filters.AttendanceCodeFilter
    ordering_fields = {"order": "order", "code": "code", "created_at": "created_at"}
    default_ordering = ("order",)


class RosterViewSet(BaseViewSet[ClassSession]):
    """Who is expected in a session, and who was there: the whole class in one request."""

    queryset = Roster.objects.select_related("section__term")
    if_match_required = True
    discloses = Disclosure("attendance", "student.person_id")
    list_serializer_class = serializers.ClassSessionSerializer
    write_serializers = {"mark": serializers.RosterWriter, "open": serializers.OpenWriter}
    action_permissions = dict.fromkeys(("mark", "open", "close"), "attendance.change_roster")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise_all([UnknownParameterError(field=name) for name in request.query_params])

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        shapes = {"retrieve": serializers.RosterSerializer, "mark": serializers.MarkedSerializer}
        return shapes.get(self.action, self.reader)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the class by name."""
        session = self.get_object()
        entries = list(selectors.sheet_by_name(session))
        self.put_on_record(entries)
        counts = Counter(entry.mark_code for entry in entries if entry.mark_code is not None)
        found = {"session": session, "entries": entries, "counts": counts, "unmarked": len(entries) - counts.total()}
        return self._tagged(found, session, who=selectors.digest_of(entry.pk for entry in entries))

    def mark(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Mark the class: those who are named, and with a default everybody else on the roster that was read."""
        with transaction.atomic():
            session = self.locked()
            given = self.validated(request.data)
            stated = request.headers.get("If-Match")
            etag.require_stated(stated)
            marks = [services.Mark(**mark) for mark in given.pop("marks")]
            marked = services.mark_roster(session, marks=marks, by=self.actor, at=timezone.now(), **given)
            # Whoever came onto the sheet since it was read is marked by nobody who has not seen them.
            if given.get("default") is not None and etag.beyond_in(stated) != selectors.digest_of(marked.expected):
                raise etag.PreconditionFailed
            return self._tagged(marked, session, who=etag.beyond_in(stated))

    def open(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Begin to mark the class; or go on with what was closed, for a reason."""
        return self._step(request, services.open_session)

    def close(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that everybody is marked who is going to be."""
        return self._step(request, services.close_session)

    def _step(self, request: Request, service: Callable[..., ClassSession]) -> Response:
        with transaction.atomic():
            row = self.locked()
            given = self.validated(request.data) if self.get_request_serializer() else {}
            session = self.fresh(service(row, by=self.actor, at=timezone.now(), **given))
            data = self.shown(session)
            who = etag.beyond_in(request.headers.get("If-Match"))
            return Response(data, headers={"ETag": etag.of(data, session, beyond=who)})

    def _tagged(self, found: Any, session: ClassSession, *, who: str) -> Response:
        """Answer with a tag that carries on who was expected when the roster was read."""
        data = self.get_response_serializer()(found).data
        return Response(data, headers={"ETag": etag.of(data, session, beyond=who)})
