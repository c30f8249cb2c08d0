"""What people choose: about which topics they are told, by what, how soon, and when not."""

from collections.abc import Iterator, Sequence
from datetime import time
from typing import TypedDict

from django.db import transaction

from accounts.models import User
from core import crud
from core.db.locks import lock_named
from core.errors import DomainError, InvalidError, raise_all
from notifications.models import Channel, Digest, Preference, QuietHours
from notifications.topics import topic_named


class UnknownTopicError(InvalidError):
    """Nobody is ever told about that."""

    code = "unknown_topic"
    title = "There is no such topic."


class MandatoryTopicError(InvalidError):
    """Everybody is told about that, by this channel at least."""

    code = "mandatory_topic"
    title = "This topic cannot be switched off here."


class RepeatedPreferenceError(InvalidError):
    """Two choices for the same topic and channel."""

    code = "repeated_preference"
    title = "This topic and channel were chosen for before."


class DigestNeedsMailError(InvalidError):
    """Only mails are put together."""

    code = "digest_needs_mail"
    title = "Only mails are put together; the application shows everything at once."


class EmptyQuietHoursError(InvalidError):
    """Quiet hours that end when they start."""

    code = "empty_quiet_hours"
    title = "Quiet hours end at another time than they start."


class Chosen(TypedDict):
    """A choice for one topic and channel."""

    topic: str
    channel: str
    is_enabled: bool
    digest: str


class Quiet(TypedDict):
    """Between which local times nobody is to be mailed."""

    starts_at: time
    ends_at: time
    time_zone: str


@transaction.atomic
def choose(user: User, *, preferences: Sequence[Chosen], quiet_hours: Quiet | None) -> None:
    """Replace what an account has chosen: what is not named is as its topic says, and no hours are quiet.

    Raises, all of them together, `UnknownTopicError`, `MandatoryTopicError`, `RepeatedPreferenceError`,
    `DigestNeedsMailError`, `EmptyQuietHoursError`, and what is wrong with the time zone.
    """
    raise_all([*_refused(preferences), *_refused_hours(quiet_hours)])
    lock_named("notification preferences", str(user.pk))
    _replace(user, preferences)
    _replace_hours(user, quiet_hours)


def _refused(preferences: Sequence[Chosen]) -> Iterator[DomainError]:
    seen = set()
    for position, each in enumerate(preferences):
        path, topic, channel = f"preferences.{position}", topic_named(each["topic"]), each["channel"]
        if topic is None:
            yield UnknownTopicError(field=f"{path}.topic")
        elif topic.is_mandatory and channel in topic.channels and not each["is_enabled"]:
            yield MandatoryTopicError(field=f"{path}.is_enabled")
        if (each["topic"], channel) in seen:
            yield RepeatedPreferenceError(field=path)
        if channel != Channel.EMAIL and each["digest"] != Digest.AT_ONCE:
            yield DigestNeedsMailError(field=f"{path}.digest")
        seen.add((each["topic"], channel))


def _refused_hours(quiet_hours: Quiet | None) -> Iterator[DomainError]:
    if quiet_hours is not None and quiet_hours["starts_at"] == quiet_hours["ends_at"]:
        yield EmptyQuietHoursError(field="quiet_hours.ends_at")


def _replace(user: User, preferences: Sequence[Chosen]) -> None:
    present = {(each.topic, each.channel): each for each in Preference.objects.filter(user=user)}
    named = {(each["topic"], each["channel"]): each for each in preferences}
    for key, each in named.items():
        if key in present:
            crud.update(present[key], each)
        else:
            crud.create(Preference, {"user": user, **each})
    gone = [each.pk for key, each in present.items() if key not in named]
    if gone:
        Preference.objects.filter(pk__in=gone).delete()


def _replace_hours(user: User, quiet_hours: Quiet | None) -> None:
    present = QuietHours.objects.filter(user=user).first()
    try:
        if quiet_hours is None:
            if present is not None:
                crud.delete(present)
        elif present is None:
            crud.create(QuietHours, {"user": user, **quiet_hours})
        else:
            crud.update(present, quiet_hours)
    except DomainError as refused:
        raise_all([each.under("quiet_hours") for each in refused.violations])
