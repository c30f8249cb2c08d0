"""What is worth an alert: refresh tokens that came back, log-ins that fail in storms, and records shown to one account.

The first is raised as soon as it is announced, the others by a chore that looks at what came on record since it last
did.
"""

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q

from accounts import mailing
from audit.models import Event
from audit.services import alert_about_account, alert_disclosures, raise_alert, windows
from core.models import Chore

CHORE = "raise_alerts"


def alert_reuse(user_id: UUID, *, session_id: UUID, at: datetime) -> None:
    """Raise an alert that two parties held a refresh token of an account."""
    alert_about_account("session_reused", user_id, detail={"family": str(session_id)}, at=at)


def raise_alerts(*, at: datetime) -> int:
    """Raise the alerts that the logs give cause for since the last look; return how many there were."""
    since = Chore.objects.filter(name=CHORE).values_list("succeeded_at", flat=True).first()
    return alert_disclosures(since=since, at=at) + _alert_log_ins(since=since, at=at)


def mail_alert(alert_id: int) -> None:
    """Mail an alert to `ALERT_RECIPIENTS`, if there are any; raise `MailNotSentError` when it is to be tried again."""
    alert = Event.objects.filter(pk=alert_id).first()
    if alert is None or not settings.ALERT_RECIPIENTS:
        return
    subject = f"{alert.action} ({mailing.institution()})"
    mailing.send("alert", to=settings.ALERT_RECIPIENTS, subject=subject, alert=alert)


def _alert_log_ins(*, since: datetime | None, at: datetime) -> int:
    raised = 0
    for start, end in windows(since=since, at=at):
        tried = Event.objects.filter(at__gt=start, at__lte=end, action__in=["login.locked", "login.failed"])
        counts = tried.aggregate(
            locked=Count("subject_id", filter=Q(action="login.locked"), distinct=True),
            failed=Count("pk", filter=Q(action="login.failed")),
            addresses=Count("address", filter=Q(action="login.failed"), distinct=True),
        )
        if settings.ALERT_LOCKED and counts["locked"] >= settings.ALERT_LOCKED:
            raised += raise_alert("lockout_storm", about="login", detail=counts, at=at)
        is_many = settings.ALERT_FAILED and counts["failed"] >= settings.ALERT_FAILED
        if is_many and counts["addresses"] >= settings.ALERT_FAILED_ADDRESSES:
            raised += raise_alert("login_storm", about="login", detail=counts, at=at)
    return raised
