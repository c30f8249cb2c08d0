"""The end of a check-in: when somebody ends it, or its sheet takes no marks any more."""

from datetime import datetime, timedelta

from attendance.models import CheckInWindow, ClassSession
from core import crud


def end_check_in(session: ClassSession, *, at: datetime) -> CheckInWindow | None:
    """End the check-in of a locked session now; return it, or nothing where none is open or to come."""
    window = CheckInWindow.objects.filter(session=session, closes_at__gt=at).first()
    if window is None:
        return None
    # One that was to open later never does.
    return crud.update(window, {"closes_at": at, "opens_at": min(window.opens_at, at - timedelta(seconds=1))})
