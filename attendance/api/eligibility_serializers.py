"""The JSON shapes of decisions about admission, and of deciding."""

from typing import Any, ClassVar

from rest_framework import serializers

from accounts.api.serializers import UserBrief
from attendance.models import Condonation, EligibilityDecision
from core.api.fields import VisibleRelatedField
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.customfields.api.fields import CustomFieldsField
from courses.models import Course, Section
from departments.models import Term
from enrollment.api.serializers import EnrolledSection, EnrolledStudent, EnrolledTerm


class EligibilityDecisionSerializer(BaseListSerializer[EligibilityDecision]):
    enrollment = serializers.UUIDField(source="enrollment_id")
    status = serializers.CharField(source="enrollment.status", help_text="Of the enrolment, as it is now.")
    student = EnrolledStudent(source="enrollment.student")
    section = EnrolledSection(source="enrollment")
    term = EnrolledTerm(source="enrollment.term")
    percent = serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True, help_text="Null of nothing.")
    policy = serializers.UUIDField(source="policy_id", allow_null=True)
    condonation = serializers.UUIDField(
        source="condonation_id",
        allow_null=True,
        help_text="The decision by which the shortage was condoned, as long as that holds; its own id, if by this one.",
    )
    decided_by = UserBrief(allow_null=True)
    is_outdated = serializers.BooleanField(
        read_only=True, help_text="Whether marks come to other numbers by now. False of what was superseded."
    )

    class Meta:
        model = EligibilityDecision
        fields = [
            "id", "enrollment", "status", "student", "section", "term", "outcome", "attended", "counted", "exempt",
            "unmarked", "percent", "policy", "policy_version", "basis", "rounding", "threshold", "condonation_floor",
            "condonation", "reason", "note", "decided_by", "decided_at", "superseded_at", "is_outdated",
        ]  # fmt: skip


class CondonationSerializer(BaseListSerializer[Condonation]):
    decision = serializers.UUIDField(source="decision_id", help_text="The decision that condones; the id is the same.")
    enrollment = serializers.UUIDField(source="decision.enrollment_id")
    student = EnrolledStudent(source="decision.enrollment.student")
    custom_fields = CustomFieldsField()

    class Meta:
        model = Condonation
        fields = ["id", "decision", "enrollment", "student", "custom_fields", "created_at", "updated_at"]


class DecideWriter(WriteSerializer):
    """A section, or all sections of a course in a term."""

    default_error_messages = {"which_sections": "Name either a section, or a course and a term."}
    request_example: ClassVar = {"section": "01955500-0000-7000-8000-000000000001"}

    section = VisibleRelatedField(queryset=Section.objects.all(), required=False)
    course = VisibleRelatedField(queryset=Course.objects.all(), required=False)
    term = VisibleRelatedField(queryset=Term.objects.all(), required=False)

    def validate(self, attrs: Any) -> Any:
        if set(attrs) not in ({"section"}, {"course", "term"}):
            self.fail("which_sections")
        return attrs


class OutcomesField(serializers.Serializer[Any]):
    """How many students have which outcome now."""

    eligible = serializers.IntegerField()
    short = serializers.IntegerField()
    condoned = serializers.IntegerField()
    not_eligible = serializers.IntegerField()


class DecidedSerializer(serializers.Serializer[Any]):
    """What came of deciding."""

    outcomes = OutcomesField()
    made = serializers.IntegerField(help_text="How many decisions are new.")
    unchanged = serializers.IntegerField(help_text="For how many students the former decision stays.")
    unmarked = serializers.IntegerField(help_text="How many students were not marked in every class that was held.")


class CondoneWriter(WriteSerializer):
    request_example: ClassVar = {"reason": "Was in hospital for three weeks", "note": "Letter of 3 November"}

    reason = serializers.CharField(max_length=2000)
    note = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="What it rests on, such as a document."
    )
    custom_fields = CustomFieldsField(
        required=False, help_text="Of the condonation, documents among them; see `/api/v1/custom-fields/`."
    )


class WithdrawWriter(WriteSerializer):
    request_example: ClassVar = {"reason": "The letter was not genuine"}

    reason = serializers.CharField(max_length=2000)
