"""What this app tells people about."""

from notifications.models import Channel
from notifications.topics import Topic, declare

SHORTAGE = declare(
    Topic(
        name="attendance.shortage",
        label="Your attendance",
        help_text="When by your attendance in a course you fall short of what is asked for, and when you no longer do.",
        channels=frozenset({Channel.IN_APP, Channel.EMAIL}),
    )
)
FEED = declare(
    Topic(
        name="attendance.calendar_feed",
        label="Your calendar feed",
        help_text="When a secret address is made by which your classes are read, and when it was ended.",
        channels=frozenset({Channel.IN_APP, Channel.EMAIL}),
        is_mandatory=True,
    )
)
ADVISEE_SHORTAGE = declare(
    Topic(
        name="attendance.advisee_shortage",
        label="Attendance of those you advise",
        help_text="When one of the students you advise falls short of attendance in a course, or no longer does.",
        channels=frozenset({Channel.IN_APP}),
    )
)
