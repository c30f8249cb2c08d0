"""Query parameters of dated sessions and of attendance codes."""

from attendance.models import AttendanceCode, ClassSession, Marking, SessionStatus
from core.api import filters


class ClassSessionFilter(filters.StrictFilterSet):
    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="section__term_id")
    room = filters.UUIDFilter(field_name="room_id")
    gathering = filters.UUIDFilter(help_text="Those that take place together.")
    status = filters.ChoiceFilter(choices=SessionStatus.choices)
    marking = filters.ChoiceFilter(choices=Marking.choices)
    on = filters.DateFilter(field_name="local_date", help_text="On that day, where the campus is.")
    date_from = filters.DateFilter(field_name="local_date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="local_date", lookup_expr="lte")

    class Meta:
        model = ClassSession
        fields = ["section", "term", "room", "gathering", "status", "marking", "on", "date_from", "date_to"]


class AttendanceCodeFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    is_active = filters.BooleanFilter()

    class Meta:
        model = AttendanceCode
        fields = ["code", "is_active"]
