"""The JSON shapes of substitutions."""

from typing import ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from attendance.api.serializers import CourseOfSession, TeacherBrief
from attendance.models import ClassSession, Substitution, SubstitutionEvent
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseDetailSerializer, BaseListSerializer, WriteSerializer
from courses.models import Section
from faculty.models import Faculty

TEXT = 2000


class SectionOfSubstitution(BaseListSerializer[Section]):
    course = CourseOfSession()

    class Meta:
        model = Section
        fields = ["id", "code", "course"]


class SessionOfSubstitution(BaseListSerializer[ClassSession]):
    section = SectionOfSubstitution()

    class Meta:
        model = ClassSession
        fields = ["id", "section", "starts_at", "ends_at", "local_date", "status"]


class SubstitutionSerializer(BaseListSerializer[Substitution]):
    session = SessionOfSubstitution()
    instructor = TeacherBrief()
    substitute = TeacherBrief()
    proposed_by = UserBrief(allow_null=True)

    class Meta:
        model = Substitution
        fields = [
            "id", "session", "instructor", "substitute", "reason", "status", "proposed_by", "created_at", "updated_at",
        ]  # fmt: skip


class SubstitutionWriter(WriteSerializer):
    request_example: ClassVar = {
        "session": "01955500-0000-7000-8000-000000000001", "substitute": "01955500-0000-7000-8000-000000000002",
        "reason": "A conference",
    }  # fmt: skip

    session = VisibleRelatedField(queryset=ClassSession.objects.all())
    substitute = VisibleRelatedField(queryset=Faculty.objects.all(), help_text="Who is asked to teach it.")
    instructor = VisibleRelatedField(
        queryset=Faculty.objects.all(),
        required=False,
        allow_null=True,
        help_text="In whose place; yourself if you teach the section, or else its primary instructor, if left out.",
    )
    reason = serializers.CharField(max_length=TEXT)


class AnswerWriter(WriteSerializer):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=TEXT)


class RefusalWriter(WriteSerializer):
    request_example: ClassVar = {"reason": "I am on a field trip"}

    reason = serializers.CharField(max_length=TEXT)


class SubstitutionEventSerializer(BaseDetailSerializer[SubstitutionEvent]):
    actor = UserBrief(allow_null=True)

    class Meta:
        model = SubstitutionEvent
        fields = ["id", "from_status", "to_status", "actor", "reason", "happened_at"]
