"""Telling many people one thing, once each."""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from core.events import publish_all
from notifications.events import MailDue
from notifications.models import Channel, DeliveryAttempt, Digest, Notification
from notifications.selectors import Wish, wishes
from notifications.streaming import ring
from notifications.timing import next_digest, opens_at
from notifications.topics import Topic, topic_named

# How many people are told by the same few statements, and how many an event names.
BATCH, NAMED = 2000, 200


@transaction.atomic
def notify(
    *, users: Collection[UUID], topic: Topic, title: str, text: str = "", link: str = "", dedupe_key: str, at: datetime
) -> int:
    """Tell accounts something, in the caller's transaction, and return how many have not been told before.

    `dedupe_key` says what happened: whoever was told under the same key is not told again, also when two tell it at
    the same moment. Mails go after the commit, to those who want one, when they want it. `text` names nobody but the
    recipients; `link` is a path of a page below `PUBLIC_URL`. Two thousand accounts take as few statements as one.
    """
    if topic_named(topic.name) != topic:
        raise ValueError(f"Nobody has declared {topic.name}")
    # In one order, so that two who tell the same people wait for one another and never both.
    wanted = sorted({*users})
    what = {"topic": topic.name, "title": title, "text": text, "link": link, "dedupe_key": dedupe_key}
    batches = (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))
    return sum(_tell(batch, topic, what, at=at) for batch in batches)


def announce(users: Sequence[UUID]) -> None:
    """Let workers know of accounts whose mails are due."""
    publish_all(MailDue(user_ids=list(users[start : start + NAMED])) for start in range(0, len(users), NAMED))


def _tell(users: Sequence[UUID], topic: Topic, what: dict[str, str], *, at: datetime) -> int:
    wanted = {user: wish for user, wish in wishes(topic, users).items() if wish.channels}
    rows = [
        Notification(recipient_id=user, is_listed=Channel.IN_APP in wanted[user].channels, **what)
        for user in users
        if user in wanted
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    told = set(Notification.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    attempts = [
        DeliveryAttempt(notification=row, channel=Channel.EMAIL, due_at=_due_at(wanted[row.recipient_id], at))
        for row in rows
        if row.pk in told and Channel.EMAIL in wanted[row.recipient_id].channels
    ]
    DeliveryAttempt.objects.bulk_create(attempts)
    listening = [row.recipient_id for row in rows if row.pk in told and row.is_listed]
    if listening:
        transaction.on_commit(partial(ring, listening), robust=True)
    announce([each.notification.recipient_id for each in attempts if each.due_at <= at])
    return len(told)


def _due_at(wish: Wish, at: datetime) -> datetime:
    return next_digest(wish.hours, at) if wish.digest == Digest.DAILY else opens_at(wish.hours, at)
