"""HTTP for sheets that are final, and for those who open one after all."""

from typing import Any, ClassVar

from django.db import transaction
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import services
from attendance.api.views import RosterViewSet
from attendance.models import Roster
from core.api import etag
from core.api.serializers import WriteSerializer


class LockWriter(WriteSerializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class UnlockWriter(WriteSerializer):
    request_example: ClassVar = {"reason": "The teacher mixed up two students"}

    reason = serializers.CharField(max_length=500, help_text="It stays in the history of the session.")


class RosterLockViewSet(RosterViewSet):
    """Whether the sheet of a session is final."""

    queryset = Roster.objects.select_related("section__term")
    write_serializers = {"lock": LockWriter, "unlock": UnlockWriter}
    action_permissions = dict.fromkeys(("lock", "unlock"), "attendance.lock_roster")

    def lock(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make the sheet final."""
        return self._move(request, services.lock_session)

    def unlock(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the sheet be opened again, for a reason."""
        return self._move(request, services.unlock_session)

    def _move(self, request: Request, service: Any) -> Response:
        with transaction.atomic():
            row = self.locked()
            moved = service(row, by=self.actor, at=timezone.now(), **self.validated(request.data))
            session = self.fresh(moved)
            data = self.shown(session)
            return Response(data, headers={"ETag": etag.of(data, session)})
