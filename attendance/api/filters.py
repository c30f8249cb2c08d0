"""Query parameters of dated sessions and of attendance codes."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from attendance.models import (
    AttendanceCode,
    CheckInEvent,
    ClassSession,
    ExcuseRequest,
    ExcuseStatus,
    Flag,
    Marking,
    Outcome,
    SessionStatus,
    Substitution,
    SubstitutionStatus,
)
from core.api import filters
from core.visibility import visible
from courses.models import SectionInstructor
from enrollment.models import Enrollment, EnrollmentStatus


class ClassSessionFilter(filters.StrictFilterSet):
    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="section__term_id")
    room = filters.UUIDFilter(field_name="room_id")
    instructor = filters.UUIDFilter(
        method="taught_by", help_text="Those that the member of faculty teaches: their own, and those of others."
    )
    student = filters.UUIDFilter(
        method="attended_by", help_text="Those that the student is expected in, of enrolments that the caller may see."
    )
    gathering = filters.UUIDFilter(help_text="Those that take place together.")
    status = filters.ChoiceFilter(choices=SessionStatus.choices)
    marking = filters.ChoiceFilter(choices=Marking.choices)
    on = filters.DateFilter(field_name="local_date", help_text="On that day, where the campus is.")
    date_from = filters.DateFilter(field_name="local_date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="local_date", lookup_expr="lte")

    class Meta:
        model = ClassSession
        fields = [
            "section", "term", "room", "instructor", "student", "gathering", "status", "marking", "on", "date_from",
            "date_to",
        ]  # fmt: skip

    def taught_by(self, queryset: QuerySet[ClassSession], name: str, value: Any) -> QuerySet[ClassSession]:
        """Whoever teaches a class in somebody's place has it, and the other has it not."""
        sections = SectionInstructor.objects.filter(faculty=value).values("section")
        replaced = Substitution.objects.filter(status=SubstitutionStatus.ACCEPTED, instructor=value).values("session")
        return queryset.filter(Q(section__in=sections) & ~Q(pk__in=replaced) | Q(substitute=value))

    def attended_by(self, queryset: QuerySet[ClassSession], name: str, value: Any) -> QuerySet[ClassSession]:
        """Everybody may see when classes are, and not who sits in them."""
        seen = visible(Enrollment.objects.filter(student=value), self.request.user)
        there = seen.filter(
            Q(enrolled_at=None) | Q(enrolled_at__lt=OuterRef("ends_at")),
            Q(dropped_at=None) | Q(dropped_at__gt=OuterRef("starts_at")),
            section=OuterRef("section"),
        ).exclude(status=EnrollmentStatus.PENDING)
        return queryset.filter(Exists(there), section__in=seen.values("section"))


class AttendanceCodeFilter(filters.StrictFilterSet):
    code = filters.CharFilter()
    is_active = filters.BooleanFilter()

    class Meta:
        model = AttendanceCode
        fields = ["code", "is_active"]


class CheckInEventFilter(filters.StrictFilterSet):
    session = filters.UUIDFilter(field_name="session_id")
    section = filters.UUIDFilter(field_name="section_id")
    student = filters.UUIDFilter(field_name="student_id")
    outcome = filters.ChoiceFilter(choices=Outcome.choices)
    flag = filters.ChoiceFilter(choices=Flag.choices, method="flagged", help_text="Flagged so.")
    is_flagged = filters.BooleanFilter(method="worth_a_look", help_text="Whether there is anything to look at.")
    is_reviewed = filters.BooleanFilter(method="looked_at", help_text="Whether somebody has looked at it.")

    class Meta:
        model = CheckInEvent
        fields = ["session", "section", "student", "outcome", "flag", "is_flagged", "is_reviewed"]

    def flagged(self, queryset: QuerySet[CheckInEvent], name: str, value: str) -> QuerySet[CheckInEvent]:
        return queryset.filter(flags__contains=[value])

    def worth_a_look(self, queryset: QuerySet[CheckInEvent], name: str, value: bool) -> QuerySet[CheckInEvent]:
        return queryset.exclude(flags=[]) if value else queryset.filter(flags=[])

    def looked_at(self, queryset: QuerySet[CheckInEvent], name: str, value: bool) -> QuerySet[CheckInEvent]:
        return queryset.filter(reviewed_at__isnull=not value)


class ExcuseFilter(filters.StrictFilterSet):
    student = filters.UUIDFilter(field_name="student_id")
    status = filters.MultipleChoiceFilter(choices=ExcuseStatus.choices)
    ends_after = filters.DateTimeFilter(
        field_name="period__endswith", lookup_expr="gt", help_text="Those that last beyond then."
    )
    starts_before = filters.DateTimeFilter(
        field_name="period__startswith", lookup_expr="lt", help_text="Those that begin before then."
    )

    class Meta:
        model = ExcuseRequest
        fields = ["student", "status", "ends_after", "starts_before"]


class SubstitutionFilter(filters.StrictFilterSet):
    status = filters.MultipleChoiceFilter(choices=SubstitutionStatus.choices)
    session = filters.UUIDFilter(field_name="session_id")
    section = filters.UUIDFilter(field_name="session__section_id")
    instructor = filters.UUIDFilter(field_name="instructor_id", help_text="In whose place.")
    substitute = filters.UUIDFilter(field_name="substitute_id", help_text="Who is asked, or was.")
    proposed_by = filters.UUIDFilter(field_name="proposed_by_id", help_text="The account of whoever asked.")
    date_from = filters.DateFilter(
        field_name="session__local_date", lookup_expr="gte", help_text="Of classes on that day or later."
    )
    date_to = filters.DateFilter(
        field_name="session__local_date", lookup_expr="lte", help_text="Of classes on that day or before."
    )

    class Meta:
        model = Substitution
        fields = [
            "status", "session", "section", "instructor", "substitute", "proposed_by", "date_from", "date_to",
        ]  # fmt: skip
