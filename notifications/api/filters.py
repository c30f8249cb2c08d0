"""Query parameters of notifications."""

from core.api import filters
from notifications.models import Notification
from notifications.topics import topics


class NotificationFilter(filters.StrictFilterSet):
    unread = filters.BooleanFilter(
        field_name="read_at", lookup_expr="isnull", help_text="Those that were not read, or the others."
    )
    topic = filters.MultipleChoiceFilter(choices=[(each.name, each.label) for each in topics()])

    class Meta:
        model = Notification
        fields = ["unread", "topic"]
