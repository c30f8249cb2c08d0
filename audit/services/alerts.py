"""Alerts: what somebody should look at, said once.

An alert is an event named `alert.<kind>` about an account or a part of the system. While the window lasts, the same
one is not raised again. What the disclosures give cause for is found here; the apps above raise what they know.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.db.models.functions import ExtractHour

from audit.events import AlertRaised
from audit.models import Disclosure, Event
from core.db.locks import lock_named
from core.events import publish

# What happened while nobody looked is looked at up to here.
LONGEST_BACK = timedelta(days=1)

logger = logging.getLogger(__name__)


@transaction.atomic
def raise_alert(kind: str, *, about: str, subject_kind: str = "", detail: Mapping[str, Any], at: datetime) -> bool:
    """Put an alert on record, announce and log it, unless it was raised within the window; return whether it was."""
    lock_named("audit.alert", f"{kind}:{about}")
    action = f"alert.{kind}"
    before = Event.objects.filter(subject_id=about, action=action, at__gt=at - settings.ALERT_WINDOW)
    if before.exists():
        return False
    alert = Event.objects.create(action=action, subject_kind=subject_kind, subject_id=about, detail=dict(detail), at=at)
    publish(AlertRaised(alert_id=alert.pk))
    logger.warning(action, extra={"about": about, "alert_id": alert.pk, **detail})
    return True


def alert_about_account(kind: str, account: UUID, *, detail: Mapping[str, Any], at: datetime) -> bool:
    """Raise an alert about what an account did, or what was done to it; return whether it was not raised before."""
    label = settings.AUTH_USER_MODEL.lower()
    return raise_alert(kind, about=str(account), subject_kind=label, detail=detail, at=at)


def alert_disclosures(*, since: datetime | None, at: datetime) -> int:
    """Raise alerts about accounts that were shown the records of many people; return how many there were."""
    thresholds = {
        "mass_disclosure": (range(24), settings.ALERT_DISCLOSED),
        "off_hours_disclosure": (_off_hours(), settings.ALERT_DISCLOSED_OFF_HOURS),
    }
    raised = 0
    for start, end in windows(since=since, at=at):
        for kind, (hours, least) in thresholds.items():
            for reader, people in _readers(start, end, hours, least):
                raised += alert_about_account(kind, reader, detail={"people": people}, at=at)
    return raised


def windows(*, since: datetime | None, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the windows to look at, the last one first: the present one and those that nobody has looked at."""
    until = max(since or at, at - LONGEST_BACK)
    end = at
    while end > until or end == at:
        yield end - settings.ALERT_WINDOW, end
        end -= settings.ALERT_WINDOW


def _readers(start: datetime, end: datetime, hours: Sequence[int], least: int) -> Iterable[tuple[UUID, int]]:
    """Return the accounts that were shown the records of many people in these hours of the day, and of how many."""
    if not least:
        return []
    local = ExtractHour("at", tzinfo=ZoneInfo(settings.TIME_ZONE))
    shown = Disclosure.objects.filter(at__gt=start, at__lte=end, actor_id__isnull=False)
    shown = shown.alias(hour=local).filter(hour__in=list(hours))
    counted = shown.values("actor_id").annotate(people=Count("subject_id", distinct=True)).filter(people__gte=least)
    return [(row["actor_id"], row["people"]) for row in counted if row["actor_id"]]


def _off_hours() -> list[int]:
    first, last = map(int, settings.ALERT_OFF_HOURS.split("-"))
    return list(range(first, last + 1)) if first <= last else [*range(first, 24), *range(last + 1)]
