"""Administration pages for checking in by oneself: every attempt, and what a person should look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from attendance import services
from attendance.models import CheckInEvent, Flag
from core.admin import ServiceAdmin
from core.admin_history import row_action
from core.recording import Disclosure


def _look_at(event: CheckInEvent, *, by: Any) -> None:
    services.review_check_in(event, by=by, at=timezone.now(), note=event.note)


@admin.register(CheckInEvent)
class CheckInEventAdmin(ServiceAdmin):
    """Attempts to check in, to be read; what is flagged is for a person to look at, and decides nothing."""

    discloses = Disclosure("attendance", "student.person_id")
    list_display = ("student", "session", "at", "outcome", "strange", "reviewed_at")
    list_filter = ("outcome", "at")
    linked_lookups = frozenset({"at__gte", "at__lt"})
    list_select_related = ("student__person", "session__section__course", "session__section__term", "reviewed_by")
    search_fields = ("=student__student_no", "=session__section__course__code")
    ordering = ("-at", "-pk")
    actions = (row_action("mark_as_looked_at", "Looked at", _look_at, permission="review"),)
    fields = (
        "student", "session", "at", "outcome", "strange", "address", "latitude", "longitude", "reviewed_at",
        "reviewed_by", "note",
    )  # fmt: skip
    readonly_fields = fields

    def has_review_permission(self, request: HttpRequest) -> bool:
        """Say whether the caller may look at attempts, for `permissions` of the action."""
        return bool(request.user.has_perm("attendance.change_checkinevent"))

    @admin.display(description="flags")
    def strange(self, event: CheckInEvent) -> str:
        return ", ".join(str(Flag(flag).label) for flag in event.flags)
