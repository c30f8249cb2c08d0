"""Query parameters of the faculty resources."""

from core.api import filters
from faculty.models import Faculty, FacultyAppointment, FacultyStatus, FacultyStatusEvent, Rank


class FacultyFilter(filters.StrictFilterSet):
    employee_no = filters.CharFilter()
    department = filters.UUIDFilter(field_name="department_id")
    rank = filters.MultipleChoiceFilter(choices=Rank)
    status = filters.MultipleChoiceFilter(choices=FacultyStatus)

    class Meta:
        model = Faculty
        fields = ["employee_no", "department", "rank", "status"]


class FacultyAppointmentFilter(filters.StrictFilterSet):
    on = filters.DateFilter(field_name="valid", lookup_expr="contains", help_text="In force on that day.")

    class Meta:
        model = FacultyAppointment
        fields = ["on"]


class FacultyStatusHistoryFilter(filters.StrictFilterSet):
    to_status = filters.ChoiceFilter(choices=FacultyStatus)

    class Meta:
        model = FacultyStatusEvent
        fields = ["to_status"]
