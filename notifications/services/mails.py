"""Mails that tell what people were told: what is due to one account goes in one mail.

A worker first takes up what it is going to send, and commits that; of two who want the same, one gets it. Whatever is
taken up goes at most once: it waits again only if the server has not taken the mail. What is read meanwhile, or not
wanted any more, is dropped. Logs say ids and kinds of errors, and nothing of what a mail says.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string

from accounts import mailing
from accounts.models import User
from notifications.models import Channel, DeliveryAttempt, DeliveryState, Notification
from notifications.selectors import HOURS, hours_of, wishes
from notifications.services.telling import announce
from notifications.timing import opens_at
from notifications.topics import topic_named

# As much as one mail tells; what is more goes in the next.
MOST = 50
FIRST_RETRY, SLOWEST_RETRY = timedelta(minutes=1), timedelta(hours=1)
# By then the mail server has been away for about a day.
MOST_ATTEMPTS = 28
# A task has an end long before (`CELERY_TASK_TIME_LIMIT`).
LOST_AFTER = timedelta(hours=1)

logger = logging.getLogger(__name__)


def send_mails(user_id: UUID, *, at: datetime) -> int:
    """Send what is due to an account, and return how much of it the mail server has taken.

    A mail that is not taken waits, twice as long each time, until it was tried `MOST_ATTEMPTS` times.
    """
    sent = 0
    while claimed := _claim(user_id, at=at):
        if not _send(claimed, at=at):
            break
        sent += len(claimed)
    return sent


@transaction.atomic
def announce_due(*, at: datetime) -> int:
    """Let workers know of the accounts whose mails are due, and return how many there are.

    What somebody took up and never settled is `unclear` from then on: it may have gone.
    """
    lost = DeliveryAttempt.objects.lost(at - LOST_AFTER).update(state=DeliveryState.UNCLEAR)
    if lost:
        logger.warning("notification.unclear", extra={"count": lost})
    users = DeliveryAttempt.objects.due(at).order_by().values_list("notification__recipient", flat=True).distinct()
    found = sorted(users)
    announce(found)
    return len(found)


@transaction.atomic
def _claim(user_id: UUID, *, at: datetime) -> list[DeliveryAttempt]:
    """Take up what is to be sent to an account now, and settle or put off what is not."""
    due = DeliveryAttempt.objects.due(at).filter(notification__recipient=user_id, channel=Channel.EMAIL)
    locked = due.select_related("notification__recipient").select_for_update(of=("self",), skip_locked=True)
    rows = list(locked.order_by("notification__created_at", "pk")[:MOST])
    if not rows:
        return []
    opens = opens_at(hours_of(*User.objects.values_list(*HOURS).get(pk=user_id)), at)
    if opens > at:
        _settle(rows, due_at=opens)
        return []
    wanted = _wanted(user_id, rows)
    _settle([row for row in rows if row.pk not in wanted], state=DeliveryState.DROPPED)
    claimed = [row for row in rows if row.pk in wanted]
    for row in claimed:
        row.attempts += 1
    for attempts in {row.attempts for row in claimed}:
        again = [row for row in claimed if row.attempts == attempts]
        _settle(again, state=DeliveryState.SENDING, attempts=attempts, claimed_at=at)
    # Where nothing of it is wanted any more there may be more that is.
    return claimed or _claim(user_id, at=at)


def _wanted(user_id: UUID, rows: Sequence[DeliveryAttempt]) -> set[UUID]:
    """Return which attempts are still wanted: not read, of an account in use that wants mails about the topic."""
    by_mail = set()
    for name in {row.notification.topic for row in rows}:
        topic = topic_named(name)
        wish = wishes(topic, [user_id]).get(user_id) if topic else None
        if wish is not None and Channel.EMAIL in wish.channels:
            by_mail.add(name)
    return {row.pk for row in rows if row.notification.read_at is None and row.notification.topic in by_mail}


def _send(claimed: Sequence[DeliveryAttempt], *, at: datetime) -> bool:
    told = [row.notification for row in claimed]
    data = {"site": settings.PUBLIC_URL, "institution": mailing.institution()}
    body = render_to_string("notifications/mail.txt", {**data, "notifications": told})
    page = render_to_string("notifications/mail.html", {**data, "told": list(map(_with_label, told))})
    try:
        mailing.hand_over(body, [told[0].recipient.email], f"{_subject(told)} ({mailing.institution()})", page=page)
    except mailing.UnsendableError as error:
        _give_up(claimed, error)
        return False
    except mailing.MailNotSentError as error:
        _put_off(claimed, error, at=at)
        return False
    _settle(claimed, state=DeliveryState.SENT, sent_at=Now(), last_error="")
    return True


def _with_label(told: Notification) -> dict[str, object]:
    """Return what a page says of a notification: also what it is about."""
    topic = topic_named(told.topic)
    said = {name: getattr(told, name) for name in ("title", "text", "link", "created_at")}
    return {**said, "label": topic.label if topic else ""}


def _subject(told: Sequence[Notification]) -> str:
    return told[0].title if len(told) == 1 else f"{len(told)} notifications"


def _put_off(claimed: Sequence[DeliveryAttempt], error: Exception, *, at: datetime) -> None:
    """Let what the server has not taken wait: each by how often it was tried."""
    _give_up([row for row in claimed if row.attempts >= MOST_ATTEMPTS], error)
    for attempts in {row.attempts for row in claimed if row.attempts < MOST_ATTEMPTS}:
        rows = [row for row in claimed if row.attempts == attempts]
        delay = min(FIRST_RETRY * 2 ** (attempts - 1), SLOWEST_RETRY)
        _settle(rows, state=DeliveryState.WAITING, due_at=at + delay, last_error=str(error))


def _give_up(rows: Sequence[DeliveryAttempt], error: Exception) -> None:
    if rows:
        facts = {"user_id": rows[0].notification.recipient_id, "count": len(rows), "reason": str(error)}
        logger.error("notification.given_up", extra=facts)  # its trace would say nothing more
    _settle(rows, state=DeliveryState.FAILED, last_error=str(error))


def _settle(rows: Sequence[DeliveryAttempt], **values: object) -> None:
    if rows:
        DeliveryAttempt.objects.filter(pk__in=[row.pk for row in rows]).update(**values)
