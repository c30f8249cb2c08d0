"""HTTP for marks, one by one: who was marked with what, across sessions."""

from rest_framework import serializers

from attendance.api.serializers import CourseOfSession
from attendance.models import AttendanceRecord, ClassSession, Source
from core.api import filters
from core.api.serializers import BaseListSerializer
from core.api.viewsets import BaseViewSet
from core.recording import Disclosure
from courses.models import Section
from enrollment.api.serializers import EnrolledStudent


class SectionOfRecord(BaseListSerializer[Section]):
    course = CourseOfSession()

    class Meta:
        model = Section
        fields = ["id", "code", "course"]


class SessionOfRecord(BaseListSerializer[ClassSession]):
    section = SectionOfRecord()

    class Meta:
        model = ClassSession
        fields = ["id", "section", "starts_at", "ends_at"]


class AttendanceRecordSerializer(BaseListSerializer[AttendanceRecord]):
    session = SessionOfRecord()
    enrollment = serializers.UUIDField(source="enrollment_id")
    student = EnrolledStudent(source="enrollment.student")
    code = serializers.CharField(source="code.code")
    marked_by = serializers.UUIDField(
        source="marked_by_id", allow_null=True, help_text="The account of whoever made it; null of a machine."
    )

    class Meta:
        model = AttendanceRecord
        fields = [
            "id", "session", "local_date", "enrollment", "student", "code", "minutes_late", "source", "marked_at",
            "marked_by", "created_at", "updated_at",
        ]  # fmt: skip


class AttendanceRecordFilter(filters.StrictFilterSet):
    student = filters.UUIDFilter(field_name="enrollment__student_id")
    enrollment = filters.UUIDFilter(field_name="enrollment_id")
    section = filters.UUIDFilter(field_name="section_id")
    term = filters.UUIDFilter(field_name="section__term_id")
    session = filters.UUIDFilter(field_name="session_id")
    code = filters.CharFilter(field_name="code__code")
    source = filters.MultipleChoiceFilter(choices=Source.choices)
    on = filters.DateFilter(field_name="local_date", help_text="Of sessions on that day, where the campus is.")
    date_from = filters.DateFilter(field_name="local_date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="local_date", lookup_expr="lte")

    class Meta:
        model = AttendanceRecord
        fields = [
            "student", "enrollment", "section", "term", "session", "code", "source", "on", "date_from", "date_to",
        ]  # fmt: skip


class AttendanceRecordViewSet(BaseViewSet[AttendanceRecord]):
    """What students were marked with, the latest mark first; a date narrows it to the months it lies in."""

    queryset = AttendanceRecord.objects.all()
    discloses = Disclosure("attendance", "enrollment.student.person_id")
    list_serializer_class = AttendanceRecordSerializer
    filterset_class = AttendanceRecordFilter
    ordering_fields = {"local_date": "local_date"}
    default_ordering = ("-id",)
