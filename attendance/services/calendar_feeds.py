"""Letting a calendar program read a person's classes by a secret address, and taking that back.

A secret is `chc_` and 256 random bits, and is kept as a hash alone. A fast hash suits a secret that nobody can guess
(ASVS 6.5.2).
"""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts.models import User
from attendance.models import CalendarFeed
from attendance.topics import FEED
from audit.services import record
from core import crud
from core.db.locks import lock_named
from core.visibility import Actor
from notifications.services import notify

PREFIX = "chc_"
SECRET_BYTES = 32
SAID = "By it your classes can be read, and where they are. If it was not you, revoke it and change your password."


def hash_of(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


@transaction.atomic
def make_feed(*, by: User, at: datetime) -> tuple[CalendarFeed, str]:
    """Give an account its feed, or its feed another secret; return it with the secret, which nobody can tell again.

    The former secret opens nothing any more. The owner is told: whoever made it may have been somebody else.
    """
    lock_named("calendar feed", str(by.pk))
    secret = f"{PREFIX}{secrets.token_urlsafe(SECRET_BYTES)}"
    values = {"secret_hash": hash_of(secret), "made_at": at}
    feed = CalendarFeed.objects.filter(user=by).first()
    feed = crud.create(CalendarFeed, {"user": by, **values}) if feed is None else crud.update(feed, values)
    record(action="calendar_feed.made", actor=by, subject=feed, on_behalf_of=by.pk)
    _tell(by.pk, "An address was made for your calendar", SAID, at=at)
    return feed, secret


@transaction.atomic
def revoke_feed(feed: CalendarFeed, *, by: Actor | None) -> None:
    """Take a feed away: its secret opens nothing from now on."""
    record(action="calendar_feed.revoked", actor=by, subject=feed, on_behalf_of=feed.user_id)
    crud.delete(feed)


@transaction.atomic
def end_feed(user_id: UUID, *, made_by: datetime, at: datetime) -> None:
    """Take an account's feed away if its secret was made by a time at which all access to the account was ended."""
    lock_named("calendar feed", str(user_id))
    feed = CalendarFeed.objects.filter(user=user_id, made_at__lte=made_by).first()
    if feed is not None:
        revoke_feed(feed, by=None)
        _tell(user_id, "The address of your calendar was ended", "It went with your log-ins. Make another one.", at=at)


def feed_of_secret(secret: str) -> CalendarFeed | None:
    """Return the feed that a secret opens, of an account that may be logged in to; in as much work where there is none.

    What is compared is a hash, by an index: how long it takes says nothing about any secret.
    """
    feeds = CalendarFeed.objects.filter(secret_hash=hash_of(secret), user__is_active=True)
    return feeds.select_related("user").first()


def _tell(user_id: UUID, title: str, text: str, *, at: datetime) -> None:
    key = f"{FEED.name}:{at.isoformat()}"
    notify(users=[user_id], topic=FEED, title=title, text=text, dedupe_key=key, at=at)
