"""HTTP for marking many sessions at once, and for marks that devices made offline."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance import services
from attendance.api import marking_serializers
from attendance.api.serializers import ClassSessionSerializer
from attendance.models import ClassSession, Roster, SessionStatus
from core.api.bulk_frames import BEST_EFFORT
from core.api.parameters import UnknownParameterError
from core.api.viewsets import BaseViewSet
from core.errors import DomainError, InvalidError, raise_all


class NoSessionsError(InvalidError):
    """The section has no class then that the caller may mark."""

    code = "no_sessions"
    title = "The section has no session within this time that you may mark."
    field = "section"


class MarkManyViewSet(BaseViewSet[ClassSession]):
    """The sheets of many sessions, as those see them who mark them."""

    queryset = Roster.objects.select_related("section__term")
    list_serializer_class = ClassSessionSerializer
    write_serializers = {
        "mark_many": marking_serializers.BulkMarkWriter,
        "sync": marking_serializers.SyncWriter,
    }
    action_permissions = dict.fromkeys(("mark_many", "sync"), "attendance.change_roster")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise_all([UnknownParameterError(field=name) for name in request.query_params])

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        shapes: dict[str, type[BaseSerializer[Any]]] = {
            "mark_many": marking_serializers.BulkMarked,
            "sync": marking_serializers.Synced,
        }
        return shapes.get(self.action, self.reader)

    def mark_many(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Mark students with one code in many sessions, all of it or nothing unless the mode says otherwise."""
        with transaction.atomic():
            given = self.validated(request.data)
            best_effort = given.pop("mode") == BEST_EFFORT
            sessions = self._named(given.pop("sessions")) if "sessions" in given else self._within(given)
            outcomes = services.mark_sessions(
                sessions, by=self.actor, at=timezone.now(), best_effort=best_effort, **given
            )
            results = [vars(each) | {"errors": [error.as_dict() for error in each.errors]} for each in outcomes]
            return Response(marking_serializers.BulkMarked({"results": results}).data)

    def sync(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Take the marks of a device; what does not win is told by line and changes nothing."""
        with transaction.atomic():
            marks = [services.QueuedMark(**mark) for mark in self.validated(request.data)["marks"]]
            found = self._locked({mark.session for mark in marks})
            outcomes = services.sync_marks(marks, found, by=self.actor, at=timezone.now())
            results = [
                vars(each)
                | {
                    "told": "refused" if each.error else each.outcome,
                    "error": each.error.as_dict() if each.error else None,
                }
                for each in outcomes
            ]
            return Response(marking_serializers.Synced({"results": results}).data)

    def _named(self, ids: list[UUID]) -> list[ClassSession]:
        found = self._locked(set(ids))
        missing: list[DomainError] = [
            services.SessionUnknownError(field=f"sessions.{place}") for place, pk in enumerate(ids) if pk not in found
        ]
        twice = [
            services.DuplicateLineError(field=f"sessions.{place}") for place, pk in enumerate(ids) if pk in ids[:place]
        ]
        raise_all([*missing, *twice])
        return [found[pk] for pk in ids]

    def _within(self, given: dict[str, Any]) -> list[ClassSession]:
        section, starts_at, ends_at = (given.pop(name) for name in ("section", "starts_at", "ends_at"))
        rows = self.manageable().filter(
            section=section, starts_at__lt=ends_at, ends_at__gt=starts_at, status=SessionStatus.SCHEDULED
        )
        ids = list(rows.order_by("starts_at", "pk").values_list("pk", flat=True)[: marking_serializers.MOST_NAMED + 1])
        if not ids:
            raise NoSessionsError
        if len(ids) > marking_serializers.MOST_NAMED:
            raise InvalidError(
                f"There are more than {marking_serializers.MOST_NAMED} sessions.", code="max_length", field="ends_at"
            )
        found = self._locked(set(ids))
        return [found[pk] for pk in ids if pk in found]

    def _locked(self, ids: set[UUID]) -> dict[UUID, ClassSession]:
        """Lock those of the sessions that the caller may mark, in the order in which everybody locks them."""
        rows = self.manageable().filter(pk__in=ids).order_by("pk").select_for_update(of=("self",), no_key=True)
        return {row.pk: row for row in rows}
