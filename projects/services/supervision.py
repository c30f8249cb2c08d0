"""The log of a supervision: written by either side, signed by each for itself, and final once both have."""

from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from core import crud
from core.db.constraints import refusal
from core.duties import records_of
from core.errors import ConflictError, ForbiddenError, InvalidError
from core.visibility import Actor
from projects.models import FinalYearProject, LogEntry, ProjectMember

UNSIGNED = {
    "student_signed_by": None, "student_signed_at": None, "supervisor_signed_by": None, "supervisor_signed_at": None,
}  # fmt: skip


class LogEntryValues(TypedDict, total=False):
    met_at: datetime
    minutes: int
    summary: str


class NewLogEntryValues(LogEntryValues, total=False):
    project: FinalYearProject


class LogEntryFinalError(ConflictError):
    """What both sides have signed would be changed or lost."""

    code = "immutable"
    title = "Both sides have signed the entry; it stays as it is."


class LogEntrySignedError(ConflictError):
    """What somebody has signed would be deleted, or say something else under their signature."""

    code = "log_entry_signed"
    title = "Somebody has signed the entry."


class NotYoursToSignError(ForbiddenError):
    """Whoever would sign neither does the project nor supervises it, or would sign for both sides."""

    code = "not_yours_to_sign"
    title = "An entry is signed by somebody who does the project, and by whoever supervises it, each for themselves."


class MeetingInFutureError(InvalidError):
    """The meeting has not been yet."""

    code = "meeting_in_future"
    title = "What was said is written down after the meeting has begun."
    field = "met_at"


refusal("projects_logentry_immutable", LogEntryFinalError)
refusal("projects_logentry_signature_stands", LogEntrySignedError)
refusal("projects_logentry_by_supervisor", NotYoursToSignError)
refusal("projects_logentry_by_member", NotYoursToSignError)


def write_log_entry(*, by: Actor | None, at: datetime, **values: Unpack[NewLogEntryValues]) -> LogEntry:
    """Write down what was said in a meeting; refused with `log_entry_taken` or `meeting_in_future`."""
    _require_past(values, at)
    return crud.create(LogEntry, {**values, "written_by": by})


def update_log_entry(entry: LogEntry, *, by: Actor | None, at: datetime, **changes: Unpack[LogEntryValues]) -> LogEntry:
    """Change what is written, and take back whatever signature it has: whoever signed has signed something else.

    Refused with `immutable` once both have signed, and as the writing is. The same again takes nothing back.
    """
    if entry.student_signed_at is not None and entry.supervisor_signed_at is not None:
        raise LogEntryFinalError
    _require_past(changes, at)
    changed: dict[str, Any] = {name: value for name, value in changes.items() if getattr(entry, name) != value}
    return crud.update(entry, {**changed, **UNSIGNED} if changed else {})


def delete_log_entry(entry: LogEntry, *, by: Actor | None) -> None:
    """Delete what was written by mistake; refused with `log_entry_signed` once anybody has signed it."""
    if entry.is_signed:
        raise LogEntrySignedError
    crud.delete(entry)


@transaction.atomic
def sign_log_entry(entry: LogEntry, *, by: Actor | None, at: datetime) -> LogEntry:
    """Sign as whoever one is: as somebody who does the project, or as its supervisor.

    What one's side has signed already stays as it is. Refused with `not_yours_to_sign` to everybody else, and to
    whoever would be both.
    """
    people = records_of(by)
    members = ProjectMember.objects.active().filter(project=entry.project_id, student__person__in=people)
    member, supervisor = members.select_related("student").first(), entry.project.supervisor
    supervises = supervisor.person_id in people
    if (member is None) is not supervises:
        raise NotYoursToSignError
    if member is not None and entry.student_signed_at is None:
        return crud.update(entry, {"student_signed_by": member.student, "student_signed_at": at})
    if supervises and entry.supervisor_signed_at is None:
        return crud.update(entry, {"supervisor_signed_by": supervisor, "supervisor_signed_at": at})
    return entry


def _require_past(values: LogEntryValues, at: datetime) -> None:
    if values.get("met_at", at) > at:
        raise MeetingInFutureError
