"""Topics of the tests' own, somebody to be told, and a mail server that is away."""

from typing import Any

import pytest

from accounts.models import User
from notifications import topics
from notifications.api import filters  # noqa: F401 - knows the topics that there are when it is imported
from notifications.models import Channel
from notifications.topics import Topic, declare
from tests.accounts.factories import UserFactory
from tests.local.conftest import free_port
from tests.notifications.serving import names, state, web  # noqa: F401 - fixtures

NEWS = Topic(
    name="tests.news",
    label="News",
    help_text="When there is news.",
    channels=frozenset({Channel.IN_APP, Channel.EMAIL}),
)
DUTY = Topic(
    name="tests.duty", label="Duties", help_text="When there is a duty.", channels=frozenset({Channel.IN_APP}),
    is_mandatory=True,
)  # fmt: skip
NOTHING = Topic(name="tests.nothing", label="Nothing", help_text="Unless somebody asks.", channels=frozenset())


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests' topics be the only ones."""
    monkeypatch.setattr(topics, "_topics", {})
    for topic in (NEWS, DUTY, NOTHING):
        declare(topic)


@pytest.fixture
def ada(db: None) -> User:
    return UserFactory(email="ada@example.org")


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The accounts for whose mails workers were woken."""
    found: list[str] = []

    def send(name: str, args: list[str]) -> None:
        assert name == "notifications.tasks.send_mails"
        found.extend(args)

    monkeypatch.setattr("notifications.subscribers.current_app.send_task", send)
    return found


@pytest.fixture
def port(settings: Any) -> int:
    """The port of the mail server, at which there is none until a test starts one."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    found: int = settings.EMAIL_PORT
    return found
