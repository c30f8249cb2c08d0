"""What people can be told about: topics, which apps declare in code and everybody chooses among.

An app declares its topics beside what announces them (`<app>/topics.py`, imported when it is ready); nothing here
knows which there are. Where and whether somebody is told follows from the topic, unless they have chosen otherwise.
"""

from dataclasses import dataclass

from notifications.models import Channel


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One kind of notification.

    `name` reads `<app>.<subject>` and stands in rows, so it stays what it is. By `channels` people are told unless they
    choose otherwise; of a mandatory topic these cannot be switched off.
    """

    name: str
    label: str
    help_text: str
    channels: frozenset[Channel] = frozenset({Channel.IN_APP})
    is_mandatory: bool = False


_topics: dict[str, Topic] = {}


def declare(topic: Topic) -> Topic:
    """Let people be told about a topic; a name belongs to one topic alone."""
    if _topics.setdefault(topic.name, topic) != topic:
        raise ValueError(f"There is another topic {topic.name}")
    return topic


def topics() -> list[Topic]:
    """Return every topic, by name."""
    return [_topics[name] for name in sorted(_topics)]


def topic_named(name: str) -> Topic | None:
    """Return the topic of a name, if there is one."""
    return _topics.get(name)


DISABLED = declare(
    Topic(
        name="notifications.webhook_disabled",
        label="Your webhooks",
        help_text="When a webhook of yours, or of a program that you gave a key, is switched off for you.",
        channels=frozenset({Channel.IN_APP, Channel.EMAIL}),
    )
)
