"""The JSON shapes of marking many sessions at once, and of marks that were made offline."""

from typing import Any, ClassVar

from rest_framework import serializers

from attendance.models.records import MOST_MINUTES
from attendance.services.bulk_marking import SessionOutcome
from core.api.bulk_frames import ALL_OR_NOTHING, BEST_EFFORT, MAX_ITEMS, BulkError
from core.api.fields import VisibleRelatedField
from core.api.serializers import WriteSerializer
from courses.models import Section

# How many students and how many sessions one request names: their product is what is written.
MOST_NAMED = 100
OUTCOMES = [
    ("applied", "Applied"), ("kept", "Kept"), ("superseded", "Superseded"), ("conflict", "Conflict"),
    ("refused", "Refused"),
]  # fmt: skip


def _ids(**options: Any) -> Any:
    return serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_NAMED, **options)


class BulkMarkWriter(WriteSerializer):
    """One code for some students, in sessions that are named or in those of a section within a time."""

    default_error_messages = {
        "which_sessions": "Name either sessions, or a section with the time from starts_at to ends_at."
    }
    request_example: ClassVar = {
        "code": "excused", "students": ["01955500-0000-7000-8000-000000000001"],
        "sessions": ["01955500-0000-7000-8000-000000000002"],
    }  # fmt: skip

    code = serializers.CharField(max_length=32)
    minutes_late = serializers.IntegerField(min_value=0, max_value=MOST_MINUTES, required=False, allow_null=True)
    students = _ids()
    sessions = _ids(required=False)
    section = VisibleRelatedField(queryset=Section.objects.all(), required=False)
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    mode = serializers.ChoiceField([ALL_OR_NOTHING, BEST_EFFORT], default=ALL_OR_NOTHING)

    def validate(self, attrs: Any) -> Any:
        span = {"section", "starts_at", "ends_at"} & attrs.keys()
        if ("sessions" in attrs) == bool(span) or len(span) not in (0, 3):
            self.fail("which_sessions")
        return attrs


class BulkMarkedSession(serializers.Serializer[SessionOutcome]):
    """What became of one session; with errors, nobody was marked in it."""

    session = serializers.UUIDField(source="session.pk")
    marking = serializers.CharField(source="session.marking")
    marked = serializers.IntegerField(help_text="How many of the students are marked so now.")
    kept = serializers.ListField(
        child=serializers.UUIDField(), help_text="The enrolments that stay as they were, because they are excused."
    )
    errors = BulkError(many=True)  # type: ignore[assignment]  # a declared field, which the metaclass takes away


class BulkMarked(serializers.Serializer[Any]):
    """What became of each session, in the order of the request or of time."""

    results = BulkMarkedSession(many=True)


class QueuedMarkWriter(WriteSerializer):
    """One mark as a device made it while nothing could be reached."""

    client_id = serializers.UUIDField(help_text="How the device calls the mark; sent again, it takes effect once.")
    session = serializers.UUIDField()
    enrollment = serializers.UUIDField()
    code = serializers.CharField(max_length=32)
    minutes_late = serializers.IntegerField(
        min_value=0, max_value=MOST_MINUTES, required=False, allow_null=True, default=None
    )
    made_at = serializers.DateTimeField()
    version = serializers.IntegerField(
        min_value=1, max_value=2**31 - 1, help_text="Of the roster that the device had read."
    )


class SyncWriter(WriteSerializer):
    """What a device has in its queue."""

    request_example: ClassVar = {
        "marks": [
            {
                "client_id": "01955500-0000-7000-8000-000000000001",
                "session": "01955500-0000-7000-8000-000000000002",
                "enrollment": "01955500-0000-7000-8000-000000000003",
                "code": "absent", "made_at": "2026-11-05T08:03:00Z", "version": 3,
            }
        ]
    }  # fmt: skip

    marks: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=QueuedMarkWriter(), min_length=1, max_length=MAX_ITEMS
    )


class SyncedMark(serializers.Serializer[Any]):
    """What became of one mark, and with what the student is marked now."""

    client_id = serializers.UUIDField(source="mark.client_id")
    session = serializers.UUIDField(source="mark.session")
    enrollment = serializers.UUIDField(source="mark.enrollment")
    outcome = serializers.ChoiceField(OUTCOMES, source="told")
    replayed = serializers.BooleanField(help_text="Whether it was answered before.")
    error = BulkError(allow_null=True, help_text="Why it was refused; sent again, it is judged anew.")
    standing = serializers.CharField(allow_null=True, help_text="The code that stands now.")
    standing_since = serializers.DateTimeField(allow_null=True)


class Synced(serializers.Serializer[Any]):
    """What became of each mark, in the order of the request."""

    results = SyncedMark(many=True)
