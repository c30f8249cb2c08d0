"""Query parameters of the course, requisite, section and meeting resources."""

from typing import Any

from django.db.models import F, QuerySet

from core.api import filters
from courses.models import (
    Course,
    CourseLevel,
    Meeting,
    MeetingSection,
    Requisite,
    RequisiteCourse,
    RequisiteKind,
    Section,
    SectionInstructor,
    SectionMode,
    SectionStatus,
)

WEEKDAYS = [(day, day) for day in range(1, 8)]


class CourseFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    department = filters.UUIDFilter(field_name="department_id")
    level = filters.ChoiceFilter(choices=CourseLevel.choices)
    is_active = filters.BooleanFilter()

    class Meta:
        model = Course
        fields = ["code", "department", "level", "is_active"]


class RequisiteFilter(filters.StrictFilterSet):
    course = filters.UUIDFilter(field_name="course_version__course_id", help_text="What these courses require.")
    course_version = filters.UUIDFilter(field_name="course_version_id")
    kind = filters.ChoiceFilter(choices=RequisiteKind.choices)
    names = filters.UUIDFilter(method="naming", help_text="Those that name this course.")

    class Meta:
        model = Requisite
        fields = ["course", "course_version", "kind", "names"]

    def naming(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(pk__in=RequisiteCourse.objects.filter(course=value).values("requisite"))


class SectionFilter(filters.StrictFilterSet):
    term = filters.UUIDFilter(field_name="term_id")
    course = filters.UUIDFilter(field_name="course_id")
    code = filters.CharFilter()
    department = filters.UUIDFilter(method="of_department", help_text="Sections of the courses of this department.")
    campus = filters.UUIDFilter(field_name="campus_id")
    status = filters.MultipleChoiceFilter(choices=SectionStatus.choices)
    mode = filters.ChoiceFilter(choices=SectionMode.choices)
    instructor = filters.UUIDFilter(method="taught_by", help_text="Taught by this member of the faculty.")
    weekday = filters.ChoiceFilter(choices=WEEKDAYS, method="meeting_on", help_text="1 is Monday, 7 is Sunday.")
    room = filters.UUIDFilter(method="meeting_in", help_text="With a meeting in this room.")
    has_seats = filters.BooleanFilter(method="with_seats", help_text="Whether seats are left.")

    class Meta:
        model = Section
        fields = [
            "term", "course", "code", "department", "campus", "status", "mode", "instructor", "weekday", "room",
            "has_seats",
        ]  # fmt: skip

    def of_department(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(course__in=Course.objects.filter(department=value).values("pk"))

    def taught_by(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(pk__in=SectionInstructor.objects.filter(faculty=value).values("section"))

    def meeting_on(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(pk__in=MeetingSection.objects.filter(meeting__weekday=value).values("section"))

    def meeting_in(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(pk__in=MeetingSection.objects.filter(meeting__room=value).values("section"))

    def with_seats(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        left = F("capacity") + F("override_seats") - F("held_count")
        condition = {"enrolled_count__lt": left} if value else {"enrolled_count__gte": left}
        return queryset.filter(**condition)


class MeetingFilter(filters.StrictFilterSet):
    section = filters.UUIDFilter(method="of_section")
    term = filters.UUIDFilter(method="of_term")
    room = filters.UUIDFilter(field_name="room_id")
    weekday = filters.ChoiceFilter(choices=WEEKDAYS, help_text="1 is Monday, 7 is Sunday.")
    on = filters.DateFilter(field_name="dates", lookup_expr="contains", help_text="Whose span contains that day.")

    class Meta:
        model = Meeting
        fields = ["section", "term", "room", "weekday", "on"]

    def of_section(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(pk__in=MeetingSection.objects.filter(section=value).values("meeting"))

    def of_term(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(pk__in=MeetingSection.objects.filter(section__term=value).values("meeting"))


class TimetableFilter(MeetingFilter):
    course = filters.UUIDFilter(method="of_course")
    department = filters.UUIDFilter(method="of_department", help_text="Of the courses of this department.")
    faculty = filters.UUIDFilter(method="taught_by", help_text="Of what this member of the faculty teaches.")

    class Meta(MeetingFilter.Meta):
        fields = [*MeetingFilter.Meta.fields, "course", "department", "faculty"]

    def of_course(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        return queryset.filter(pk__in=MeetingSection.objects.filter(section__course=value).values("meeting"))

    def of_department(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        found = MeetingSection.objects.filter(section__course__department=value)
        return queryset.filter(pk__in=found.values("meeting"))

    def taught_by(self, queryset: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        taught = SectionInstructor.objects.filter(faculty=value).values("section")
        return queryset.filter(pk__in=MeetingSection.objects.filter(section__in=taught).values("meeting"))
