"""HTTP for checking in by oneself: the window and its codes, the attempt of a student, and what became of it."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance import services
from attendance.api import check_in_serializers as serializers
from attendance.api import filters
from attendance.api.serializers import ClassSessionSerializer
from attendance.models import CheckInEvent, ClassSession, Roster
from core.api.parameters import UnknownParameterError
from core.api.viewsets import BaseViewSet, UnifiedViewSet
from core.crud import Crud
from core.errors import OutOfScopeError, raise_all
from core.recording import Disclosure
from core.security.addresses import client_address

CHANGE_ROSTER = "attendance.change_roster"


class CheckInWindowViewSet(BaseViewSet[ClassSession]):
    """Letting the students of a session check in, and the codes that they are shown."""

    queryset = Roster.objects.select_related("section__term")
    discloses = None
    list_serializer_class = ClassSessionSerializer
    write_serializers = {"open_check_in": serializers.OpenCheckInWriter}
    action_permissions = dict.fromkeys(("open_check_in", "close_check_in", "token"), CHANGE_ROSTER)
    # A code is worth nothing to whoever is told it again.
    idempotent_posts = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise_all([UnknownParameterError(field=name) for name in request.query_params])

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        if self.action == "token":
            return serializers.CheckInTokenSerializer
        return serializers.CheckInWindowSerializer

    def open_check_in(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the students of the session check in from now on; codes that were shown before are good no more."""
        return self._step(services.open_check_in, **self.validated(request.data))

    def close_check_in(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """End the check-in now."""
        return self._step(services.close_check_in)

    def token(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show the code of these ten seconds."""
        # Without the lock for which those who check in queue: the wall shows the next code meanwhile.
        session = self.manageable().filter(pk=self.kwargs["pk"]).first()
        if session is None:
            self.get_object()
            raise OutOfScopeError
        return self._shown(services.poster(session, by=self.actor, at=timezone.now()))

    def _step(self, service: Any, **values: Any) -> Response:
        with transaction.atomic():
            return self._shown(service(self.locked(), by=self.actor, at=timezone.now(), **values))

    def _shown(self, found: Any) -> Response:
        return Response(self.get_response_serializer()(found).data)


class CheckInViewSet(BaseViewSet[ClassSession]):
    """Checking in to a session, with the code that is shown there."""

    queryset = ClassSession.objects.all()
    list_serializer_class = ClassSessionSerializer
    write_serializers = {"check_in": serializers.CheckInWriter}
    action_permissions = {"check_in": "attendance.add_checkinevent"}
    # What was refused is kept, so that the transaction of an answer that is kept would undo it.
    idempotent_posts = False

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return serializers.OwnCheckInSerializer

    def check_in(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that one is there."""
        session = self.get_object()
        attempt = services.Attempt(**self.validated(request.data), address=client_address(request._request))
        event = services.check_in(session, attempt, by=self.actor, at=timezone.now())
        return Response(self.get_response_serializer()(event).data, status=status.HTTP_201_CREATED)


class CheckInEventViewSet(UnifiedViewSet[CheckInEvent]):
    """Every attempt to check in: what became of it, and what a person should look at."""

    queryset = CheckInEvent.objects.all()
    crud = Crud()
    discloses = Disclosure("attendance", "student.person_id")
    list_serializer_class = serializers.CheckInEventSerializer
    write_serializers = {"review": serializers.ReviewWriter}
    filterset_class = filters.CheckInEventFilter
    ordering_fields = {"at": "at", "created_at": "created_at"}
    default_ordering = ("-at",)
    action_permissions = {"review": "attendance.change_checkinevent"}

    @action(detail=True, methods=["post"])
    def review(self, request: Request, pk: str) -> Response:
        """Say what came of looking at it; nothing else changes."""
        return self.step(request, services.review_check_in)
