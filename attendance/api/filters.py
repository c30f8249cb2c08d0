"""Query parameters of dated sessions."""

from attendance.models import ClassSession, SessionStatus
from core.api import filters


class ClassSessionFilter(filters.StrictFilterSet):
    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="section__term_id")
    room = filters.UUIDFilter(field_name="room_id")
    gathering = filters.UUIDFilter(help_text="Those that take place together.")
    status = filters.ChoiceFilter(choices=SessionStatus.choices)
    on = filters.DateFilter(field_name="local_date", help_text="On that day, where the campus is.")
    date_from = filters.DateFilter(field_name="local_date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="local_date", lookup_expr="lte")

    class Meta:
        model = ClassSession
        fields = ["section", "term", "room", "gathering", "status", "on", "date_from", "date_to"]
