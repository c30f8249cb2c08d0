"""What others ask: how somebody wants to be told and what they may choose, and whom endpoints are told for."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts.models import ApiKey, User
from notifications.models import Channel, Digest, Preference, QuietHours, WebhookEndpoint
from notifications.timing import Hours
from notifications.topics import Topic, topics

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

    The key may have been rotated: its successor opens the same.
    """
    if endpoint.api_key_id is None:
        return User.objects.with_assignments().filter(pk=endpoint.owner_id, is_active=True).first()
    key = ApiKey.objects.with_account().get(pk=endpoint.api_key_id)
    while not key.is_live(at):
        successor = ApiKey.objects.with_account().filter(replaces=key).first()
        if successor is None:
            return None
        key = successor
    return key.account if key.user.is_active else None


def secrets_of(endpoint: WebhookEndpoint, *, at: datetime) -> list[str]:
    """Return the secrets that calls of an endpoint are signed with now."""
    former = [endpoint.former_secret] if endpoint.former_until is not None and endpoint.former_until > at else []
    return [endpoint.secret, *former]


def keepers_of(endpoint: WebhookEndpoint) -> list[UUID]:
    """Return the people who answer for an endpoint: its owner, and of a program's those who gave it its keys."""
    keys = ApiKey.objects.filter(user=endpoint.owner_id, user__is_service=True)
    return [endpoint.owner_id, *keys.exclude(created_by=None).values_list("created_by", flat=True).distinct()]


def _is_on(topic: Topic, channel: str, chosen: bool | None) -> bool:
    usual = channel in topic.channels
    return usual if chosen is None or (topic.is_mandatory and usual) else chosen
