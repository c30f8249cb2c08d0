"""HTTP for what is done to many classes at once: cancelling them, and making their sheets final."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from attendance import services
from attendance.api.serializers import ClassSessionSerializer
from attendance.models import ClassSession, Marking, Roster, SessionStatus
from attendance.services.cancelling import Cancelled, cancel_sessions
from attendance.services.locking import lock_ended
from core.api.bulk_frames import BulkError
from core.api.fields import VisibleRelatedField
from core.api.parameters import UnknownParameterError
from core.api.serializers import WriteSerializer
from core.api.viewsets import BaseViewSet
from core.errors import InvalidError, raise_all
from courses.models import Course, Section
from departments.models import Campus, Department, Term
from departments.selectors import below

# How many classes are cancelled in one request, each of which gives back a room and teachers; and sheets locked.
MOST_CANCELLED = 200
MOST_LOCKED = 500


class TooManySessionsError(InvalidError):
    """More classes lie within the time than one request cancels."""

    code = "too_many_sessions"
    title = (
        f"At most {MOST_CANCELLED} sessions are cancelled at once; name a shorter time, or a part of the university."
    )
    field = "ends_at"


class NothingThereError(InvalidError):
    """Nothing within the time and the part of the university that are named is the caller's to change."""

    code = "no_sessions"
    title = "There is no session within this that you may change so."
    field = ""


class _Within(WriteSerializer):
    """Of which part of the university; of all of it, without any."""

    section = VisibleRelatedField(queryset=Section.objects.all(), required=False)
    course = VisibleRelatedField(queryset=Course.objects.all(), required=False)
    department = VisibleRelatedField(
        queryset=Department.objects.all(), required=False, help_text="Its courses, and those of what lies below it."
    )
    campus = VisibleRelatedField(queryset=Campus.objects.all(), required=False, help_text="Sections of that campus.")
    term = VisibleRelatedField(queryset=Term.objects.all(), required=False)


class CancelManyWriter(_Within):
    """The classes of a time."""

    request_example: ClassVar = {
        "starts_at": "2026-11-05T00:00:00Z", "ends_at": "2026-11-06T00:00:00Z", "reason": "Heavy snow",
    }  # fmt: skip

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField(max_length=500)


class CancelledSession(serializers.Serializer[Cancelled]):
    """What became of one class; with errors, it takes place all the same."""

    session = serializers.UUIDField(source="session.pk")
    starts_at = serializers.DateTimeField(source="session.starts_at")
    status = serializers.ChoiceField(SessionStatus.choices, source="session.status")
    errors = BulkError(many=True)  # type: ignore[assignment]  # a declared field, which the metaclass takes away


class CancelledMany(serializers.Serializer[Any]):
    """What became of each class, in the order of time."""

    results = CancelledSession(many=True)


class LockManyWriter(_Within):
    """The sheets of classes that are over."""

    request_example: ClassVar = {"ends_before": "2026-11-01T00:00:00Z", "reason": "The middle of the term"}

    ends_before = serializers.DateTimeField(
        required=False, help_text="Of classes that were over by then; now, if later."
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class LockedMany(serializers.Serializer[Any]):
    """How many sheets were locked, and whether there are more."""

    locked = serializers.IntegerField()
    is_complete = serializers.BooleanField(help_text="Whether none is left; if not, the same request locks the next.")


class _ManyViewSet(BaseViewSet[ClassSession]):
    list_serializer_class = ClassSessionSerializer
    answers: ClassVar[type[BaseSerializer[Any]]]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise_all([UnknownParameterError(field=name) for name in request.query_params])

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        return self.answers


class CancelManyViewSet(_ManyViewSet):
    """The classes that the caller may cancel."""

    queryset = ClassSession.objects.select_related("section__term")
    answers = CancelledMany
    write_serializers = {"cancel_many": CancelManyWriter}
    action_permissions = {"cancel_many": "attendance.change_classsession"}

    def cancel_many(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Cancel what takes place within a time, each class judged by itself; of sections that gather, all of them."""
        with transaction.atomic():
            given = self.validated(request.data)
            within = _within(given) & Q(starts_at__lt=given["ends_at"], ends_at__gt=given["starts_at"])
            rows = self.manageable().filter(within, status=SessionStatus.SCHEDULED).order_by("starts_at", "pk")
            found = dict(rows.values_list("pk", "gathering")[: MOST_CANCELLED + 1])
            if not found:
                raise NothingThereError
            if len(found) > MOST_CANCELLED:
                raise TooManySessionsError
            services.lock_gathered(found.values())
            # What somebody has moved or cancelled meanwhile is not what was found.
            sessions = list(rows.filter(pk__in=found))
            results = [
                vars(each) | {"errors": [error.as_dict() for error in each.errors]}
                for each in cancel_sessions(sessions, by=self.actor, at=timezone.now(), reason=given["reason"])
            ]
            return Response(CancelledMany({"results": results}).data)


class LockManyViewSet(_ManyViewSet):
    """The sheets that the caller may make final."""

    queryset = Roster.objects.all()
    answers = LockedMany
    write_serializers = {"lock_many": LockManyWriter}
    action_permissions = {"lock_many": "attendance.lock_roster"}

    def lock_many(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make the sheets of classes final that are over, the earliest first."""
        given, now = self.validated(request.data), timezone.now()
        within = _within(given) & Q(ends_at__lte=min(given.get("ends_before", now), now))
        rows = self.manageable().filter(within, status=SessionStatus.SCHEDULED).exclude(marking=Marking.LOCKED)
        found = list(rows.order_by("ends_at", "pk").values_list("pk", flat=True)[: MOST_LOCKED + 1])
        if not found:
            raise NothingThereError
        locked = lock_ended(found[:MOST_LOCKED], by=self.actor, at=now, reason=given.get("reason", ""))
        return Response(LockedMany({"locked": locked, "is_complete": len(found) <= MOST_LOCKED}).data)


def _within(given: Mapping[str, Any]) -> Q:
    """Match the sessions of the part of the university that a request names."""
    paths = {"section": "section", "course": "section__course", "campus": "section__campus", "term": "section__term"}
    found = Q(**{path: given[name] for name, path in paths.items() if name in given})
    if "department" in given:
        found &= Q(section__course__in=Course.objects.filter(below([given["department"].pk])).values("pk"))
    return found
