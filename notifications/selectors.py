"""What others ask: how somebody wants to be told and what they may choose, and whom endpoints are told for."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from accounts.models import ApiKey, User
from notifications.models import (
    Channel,
    Digest,
    Notification,
    Preference,
    QuietHours,
    WebhookDelivery,
    WebhookEndpoint,
)
from notifications.offers import offer_named
from notifications.places import Place, Told
from notifications.timing import Hours
from notifications.topics import Topic, topics

# As much as is read at once of what somebody was told while they did not listen.
MOST_AT_ONCE = 25
# Of each listener the earliest of what they do not know. What has a number that this server has not given yet came with
# a dump from another one.
_TOLD_SINCE = """
    SELECT listener.seat, pg_current_snapshot()::text AS now, told.*
    FROM unnest(%s::int[], %s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::uuid[])
        AS listener (seat, account, known, until, number, last)
    CROSS JOIN LATERAL (
        SELECT * FROM notifications_notification AS one
        WHERE one.recipient_id = listener.account AND one.is_listed
          AND one.told_in >= pg_snapshot_xmin(listener.known::pg_snapshot)::text::bigint
          AND one.told_in < pg_snapshot_xmax(pg_current_snapshot())::text::bigint
          AND NOT pg_visible_in_snapshot(one.told_in::text::xid8, listener.known::pg_snapshot)
          AND (
              listener.until IS NULL
              OR (
                  pg_visible_in_snapshot(one.told_in::text::xid8, listener.until::pg_snapshot)
                  AND (one.told_in, one.id) > (listener.number, listener.last)
              )
          )
        ORDER BY one.told_in, one.id
        LIMIT %s
    ) AS told
    ORDER BY listener.seat, told.told_in, told.id
"""
HOURS = ("quiet_hours__time_zone", "quiet_hours__starts_at", "quiet_hours__ends_at")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How somebody wants to be told about one topic."""

    channels: frozenset[str]
    digest: str
    hours: Hours


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What holds for one topic and channel: what somebody chose, or else what the topic says."""

    topic: str
    channel: str
    is_enabled: bool
    digest: str


def wishes(topic: Topic, users: Collection[UUID]) -> dict[UUID, Wish]:
    """Return how each of these accounts wants to be told; those that are closed, and those of programs, are left out.

    Two queries, however many accounts there are.
    """
    live = User.objects.filter(pk__in=list(users), is_active=True, is_service=False)
    hours = {pk: hours_of(*found) for pk, *found in live.values_list("pk", *HOURS)}
    chosen: dict[tuple[UUID, str], tuple[bool, str]] = {
        (user, channel): (is_enabled, digest)
        for user, channel, is_enabled, digest in Preference.objects.filter(
            user__in=list(hours), topic=topic.name
        ).values_list("user", "channel", "is_enabled", "digest")
    }
    usual = (False, Digest.AT_ONCE.value)
    return {
        user: Wish(
            channels=frozenset(
                each for each in Channel.values if _is_on(topic, each, chosen.get((user, each), (None, ""))[0])
            ),
            digest=chosen.get((user, Channel.EMAIL), usual)[1],
            hours=hours[user],
        )
        for user in hours
    }


def choices_of(user: User) -> Iterator[Choice]:
    """Yield what holds for an account, of every topic and channel."""
    chosen = {(each.topic, each.channel): each for each in Preference.objects.filter(user=user)}
    for topic in topics():
        for channel in Channel.values:
            found = chosen.get((topic.name, channel))
            yield Choice(
                topic=topic.name,
                channel=channel,
                is_enabled=_is_on(topic, channel, found.is_enabled if found else None),
                digest=found.digest if found else Digest.AT_ONCE,
            )


def quiet_hours_of(user: User) -> QuietHours | None:
    """Return an account's quiet hours, if it has any."""
    return QuietHours.objects.filter(user=user).first()


def hours_of(time_zone: str | None, starts_at: object, ends_at: object) -> Hours:
    """Return the hours of an account by the columns of its quiet hours: without any, those of the institution."""
    if time_zone is None:
        return Hours(settings.TIME_ZONE)
    return Hours(time_zone, starts_at, ends_at)  # type: ignore[arg-type]  # times, as the columns are


def acting_for(endpoint: WebhookEndpoint, *, at: datetime) -> User | None:
    """Return whoever an endpoint is told for, with what its key leaves them; None if they are told nothing any more.

    A key that was rotated and has expired since goes on in its successor, which opens the same. One that was taken back
    may have been stolen: what was made with it ends with it, whatever came after. A key of another account than the
    owner's lends nothing.
    """
    if endpoint.api_key_id is None:
        return User.objects.with_assignments().filter(pk=endpoint.owner_id, is_active=True).first()
    key = ApiKey.objects.with_account().get(pk=endpoint.api_key_id)
    while not key.is_live(at):
        successor = ApiKey.objects.with_account().filter(replaces=key, replaces__revoked_at=None).first()
        if successor is None:
            return None
        key = successor
    return key.account if key.user.is_active and key.user_id == endpoint.owner_id else None


def people_told_of(deliveries: Collection[UUID]) -> set[UUID]:
    """Return the people of whom deliveries say something: one query, and one for each topic that does."""
    said = defaultdict(list)
    for topic, payload in WebhookDelivery.objects.filter(pk__in=deliveries).values_list("topic", "payload"):
        said[topic].append(payload)
    return {person for topic, each in said.items() if (offer := offer_named(topic)) for person in offer.people(each)}


def secrets_of(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """Return the secrets that calls of an endpoint are signed with now."""
    former = [endpoint.former_secret] if endpoint.former_until is not None and endpoint.former_until > at else []
    return [endpoint.secret, *former]


def keepers_of(endpoint: WebhookEndpoint) -> list[UUID]:
    """Return the people who answer for an endpoint: its owner, and of a program's those who gave it its keys."""
    keys = ApiKey.objects.filter(user=endpoint.owner_id, user__is_service=True)
    return [endpoint.owner_id, *keys.exclude(created_by=None).values_list("created_by", flat=True).distinct()]


def place_from(place: Place | None) -> Place:
    """Return where somebody goes on: at the place that they name, or after all that anybody can know by now.

    A place of the future is of another server, and says nothing here.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        now = Place(cursor.fetchone()[0])
    return now if place is None or place.end > now.end else place


def told_since(listeners: Sequence[tuple[UUID, Place]]) -> list[Told]:
    """Return for each account and place what the account was told since, as `visibility` lets it see: its own, listed.

    One query for all of them, of the primary, as a replica does not know which transactions are under way.
    """
    columns = [
        (number, account, place.known, place.until or None, place.number, place.row)
        for number, (account, place) in enumerate(listeners)
    ]
    found: defaultdict[int, list[Notification]] = defaultdict(list)
    now = ""
    with connection.cursor() as cursor:
        cursor.execute(_TOLD_SINCE, [*map(list, zip(*columns, strict=True)), MOST_AT_ONCE])
        names = [column.name for column in cursor.description or ()]
        for values in cursor.fetchall():
            row = dict(zip(names, values, strict=True))
            now = row["now"]
            found[row["seat"]].append(_notification(row))
    return [_told(place, found[number], now) for number, (_, place) in enumerate(listeners)]


def _notification(row: dict[str, Any]) -> Notification:
    # A column that the other release of a rolling update has taken away is read late.
    columns = [field for field in Notification._meta.concrete_fields if field.column in row]
    return Notification.from_db(
        connection.alias, [field.attname for field in columns], [row[str(field.column)] for field in columns]
    )


def _told(place: Place, rows: list[Notification], now: str) -> Told:
    until = place.until or now
    after = [Place(place.known, until, row.told_in or 0, row.pk) for row in rows]
    if len(rows) == MOST_AT_ONCE:
        return Told(list(zip(rows, after, strict=True)), after[-1], goes_on=True)
    end = Place(until or place.known)
    if rows:
        after[-1] = end
    return Told(list(zip(rows, after, strict=True)), end, goes_on=bool(place.until))


def _is_on(topic: Topic, channel: str, chosen: bool | None) -> bool:
    usual = channel in topic.channels
    return usual if chosen is None or (topic.is_mandatory and usual) else chosen
