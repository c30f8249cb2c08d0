"""Query parameters of the department, place, calendar and program resources."""

from core.api import filters
from departments.models import (
    AcademicYear,
    Appointment,
    AppointmentRole,
    Building,
    CalendarEvent,
    CalendarEventKind,
    Campus,
    Department,
    DepartmentKind,
    Program,
    ProgramLevel,
    ReservationKind,
    ReservationStatus,
    Room,
    RoomKind,
    RoomReservation,
    Term,
    TermState,
)


class DepartmentFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    kind = filters.ChoiceFilter(choices=DepartmentKind.choices)
    parent = filters.UUIDFilter(field_name="parent_id")
    root = filters.BooleanFilter(field_name="parent_id", lookup_expr="isnull", help_text="Those without a parent.")
    is_active = filters.BooleanFilter()

    class Meta:
        model = Department
        fields = ["code", "kind", "parent", "root", "is_active"]


class AppointmentFilter(filters.StrictFilterSet):
    department = filters.UUIDFilter(field_name="department_id")
    person = filters.UUIDFilter(field_name="person_id")
    role = filters.ChoiceFilter(choices=AppointmentRole.choices)
    on = filters.DateFilter(field_name="valid", lookup_expr="contains", help_text="In force on that day.")

    class Meta:
        model = Appointment
        fields = ["department", "person", "role", "on"]


class ProgramFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    department = filters.UUIDFilter(field_name="department_id")
    level = filters.ChoiceFilter(choices=ProgramLevel.choices)
    is_active = filters.BooleanFilter()

    class Meta:
        model = Program
        fields = ["code", "department", "level", "is_active"]


class CampusFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    is_active = filters.BooleanFilter()

    class Meta:
        model = Campus
        fields = ["code", "is_active"]


class BuildingFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    campus = filters.UUIDFilter(field_name="campus_id")

    class Meta:
        model = Building
        fields = ["code", "campus"]


class RoomFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    building = filters.UUIDFilter(field_name="building_id")
    kind = filters.ChoiceFilter(choices=RoomKind.choices)
    is_bookable = filters.BooleanFilter()
    capacity_min = filters.IntegerFilter(field_name="capacity", lookup_expr="gte")

    class Meta:
        model = Room
        fields = ["code", "building", "kind", "is_bookable", "capacity_min"]


class RoomReservationFilter(filters.StrictFilterSet):
    room = filters.UUIDFilter(field_name="room_id")
    kind = filters.ChoiceFilter(choices=ReservationKind.choices)
    status = filters.ChoiceFilter(choices=ReservationStatus.choices)

    class Meta:
        model = RoomReservation
        fields = ["room", "kind", "status"]


class AcademicYearFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    on = filters.DateFilter(method="containing", help_text="The year that contains that day.")

    class Meta:
        model = AcademicYear
        fields = ["code", "on"]

    def containing(self, queryset, name, value):  # type: ignore[no-untyped-def]  # django-filter is untyped
        return queryset.filter(starts_on__lte=value, ends_on__gte=value)


class TermFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    academic_year = filters.UUIDFilter(field_name="academic_year_id")
    state = filters.ChoiceFilter(choices=TermState.choices)
    on = filters.DateFilter(method="containing", help_text="Terms that contain that day.")

    class Meta:
        model = Term
        fields = ["code", "academic_year", "state", "on"]

    def containing(self, queryset, name, value):  # type: ignore[no-untyped-def]  # django-filter is untyped
        return queryset.filter(starts_on__lte=value, ends_on__gte=value)


class CalendarEventFilter(filters.StrictFilterSet):
    kind = filters.ChoiceFilter(choices=CalendarEventKind.choices)
    campus = filters.UUIDFilter(field_name="campus_id", help_text="Those of one campus alone.")
    on = filters.DateFilter(method="containing", help_text="Those that contain that day.")

    class Meta:
        model = CalendarEvent
        fields = ["kind", "campus", "on"]

    def containing(self, queryset, name, value):  # type: ignore[no-untyped-def]  # django-filter is untyped
        return queryset.filter(starts_on__lte=value, ends_on__gte=value)
