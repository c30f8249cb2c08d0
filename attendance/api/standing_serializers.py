"""The JSON shapes of how often students were there."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from attendance.models import Eligibility
from enrollment.api.serializers import EnrolledSection, EnrolledStudent, EnrolledTerm

# What a class can come to for a student.
WAYS = {
    "counted": "Counted",
    "exempt": "Exempt",
    "unmarked": "Unmarked",
    "to_come": "To come",
    "cancelled": "Cancelled",
    "not_enrolled": "Not enrolled",
}


class SumField(serializers.Serializer[Any]):
    """How often somebody was there, in all."""

    attended = serializers.DecimalField(max_digits=9, decimal_places=3, help_text="The sum of what the marks count.")
    counted = serializers.IntegerField(help_text="The classes that they are divided by: marked, and not exempt.")
    exempt = serializers.IntegerField()
    unmarked = serializers.IntegerField(help_text="Classes that were held and in which nobody marked the student.")
    to_come = serializers.IntegerField()
    percent = serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True, help_text="Null of nothing.")


class TallyField(SumField):
    """How often somebody was there, and what that means for the classes to come."""

    threshold = serializers.DecimalField(
        max_digits=5, decimal_places=2, help_text="What the policy asks for, per cent."
    )
    is_short = serializers.BooleanField(
        help_text="Whether it is below, of this course or, by its policy, of all together."
    )
    may_miss = serializers.IntegerField(
        help_text="How many classes to come may be missed without falling short in the end."
    )


class _Line(serializers.Serializer[Any]):
    enrollment = serializers.UUIDField(source="row.pk")
    status = serializers.CharField(source="row.status", help_text="Of the enrolment.")
    attendance = TallyField(source="tally")


class DecisionField(serializers.Serializer[Any]):
    """What was decided at last about sitting the examination."""

    id = serializers.UUIDField(source="row.decision_id")
    outcome = serializers.ChoiceField(Eligibility.choices, source="row.decision_outcome")
    decided_at = serializers.DateTimeField(source="row.decision_at")
    is_outdated = serializers.SerializerMethodField(help_text="Whether marks come to other numbers by now.")

    def get_is_outdated(self, line: Any) -> bool:
        row, judged = line["row"], line["tally"].judged
        decided = (row.decision_attended, row.decision_counted, row.decision_exempt)
        return bool(decided != (judged.attended, judged.counted, judged.exempt))


class _DecidedLine(_Line):
    decision = serializers.SerializerMethodField(help_text="Null before anybody has decided.")

    @extend_schema_field(DecisionField(allow_null=True))
    def get_decision(self, line: Any) -> Any:
        return None if line["row"].decision_id is None else DecisionField(line).data


class StudentLine(_DecidedLine):
    """A section that a student takes or took, and how often they were there."""

    section = EnrolledSection(source="row")
    term = EnrolledTerm(source="row.term")


class SectionLine(_DecidedLine):
    """Somebody in a section, and how often they were there."""

    student = EnrolledStudent(source="row.student")


class StudentAttendance(serializers.Serializer[Any]):
    """How often a student was there."""

    student = serializers.UUIDField(source="id")
    total = SumField()
    sections = StudentLine(source="lines", many=True)


class SectionAttendance(serializers.Serializer[Any]):
    """How often the students of a section were there."""

    section = serializers.UUIDField(source="id")
    total = SumField()
    students = SectionLine(source="lines", many=True)


class UnitField(serializers.Serializer[Any]):
    """One class."""

    session = serializers.UUIDField()
    local_date = serializers.DateField()
    starts_at = serializers.DateTimeField()
    code = serializers.CharField(allow_null=True)
    weight = serializers.DecimalField(
        max_digits=4, decimal_places=3, allow_null=True, help_text="What it counts, by code and policy."
    )
    counts_as = serializers.ChoiceField(list(WAYS.items()))


class WeekField(serializers.Serializer[Any]):
    """What a student had come to by the end of a week."""

    week = serializers.DateField(source="monday", help_text="Its Monday.")
    attended = serializers.DecimalField(max_digits=9, decimal_places=3)
    counted = serializers.IntegerField()
    percent = serializers.DecimalField(max_digits=6, decimal_places=2, allow_null=True)


class EnrollmentAttendance(_Line):
    """A percentage, and every class that it is made of."""

    units = UnitField(many=True)
    trend = WeekField(many=True, help_text="By week, all weeks before included; the last comes to the percentage.")
