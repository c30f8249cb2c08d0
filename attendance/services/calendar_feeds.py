"""Letting a calendar program read a person's classes by a secret address, and taking that back.

A secret is `chc_` and 256 random bits, and is kept as a hash alone. A fast hash suits a secret that nobody can guess
(ASVS 6.5.2).
"""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction

from accounts.models import User
from attendance.models import CalendarFeed
from audit.services import record
from core import crud
from core.db.locks import lock_named

PREFIX = "chc_"
SECRET_BYTES = 32


def hash_of(secret: str) -> bytes:
    """Return what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


@transaction.atomic
def make_feed(*, by: User, at: datetime) -> tuple[CalendarFeed, str]:
    """Give an account its feed, or its feed another secret; return it with the secret, which nobody can tell again.

    The former secret opens nothing any more.
    """
    lock_named("calendar feed", str(by.pk))
    secret = f"{PREFIX}{secrets.token_urlsafe(SECRET_BYTES)}"
    values = {"secret_hash": hash_of(secret), "made_at": at}
    feed = CalendarFeed.objects.filter(user=by).first()
    feed = crud.create(CalendarFeed, {"user": by, **values}) if feed is None else crud.update(feed, values)
    record(action="calendar_feed.made", actor=by, subject=feed, on_behalf_of=by.pk)
    return feed, secret


@transaction.atomic
def revoke_feed(feed: CalendarFeed, *, by: User) -> None:
    """Take a feed away: its secret opens nothing from now on."""
    record(action="calendar_feed.revoked", actor=by, subject=feed, on_behalf_of=feed.user_id)
    crud.delete(feed)


def feed_of_secret(secret: str) -> CalendarFeed | None:
    """Return the feed that a secret opens, of an account that may be logged in to; in as much work where there is none.

    What is compared is a hash, by an index: how long it takes says nothing about any secret.
    """
    feeds = CalendarFeed.objects.filter(secret_hash=hash_of(secret), user__is_active=True)
    return feeds.select_related("user").first()
