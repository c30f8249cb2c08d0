"""What this app tells people about."""

from notifications.models import Channel
from notifications.topics import Topic, declare

ALLOCATION = declare(
    Topic(
        name="projects.allocation",
        label="Your final project",
        help_text="When the topics of final projects are allocated, whether you got one or not.",
        channels=frozenset({Channel.IN_APP, Channel.EMAIL}),
    )
)
SUPERVISION = declare(
    Topic(
        name="projects.supervision",
        label="Final projects that you supervise",
        help_text="When topics of yours are allocated, and projects are made of them.",
        channels=frozenset({Channel.IN_APP, Channel.EMAIL}),
    )
)
