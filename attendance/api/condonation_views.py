"""HTTP for what condonations rest on, such as documents."""

from attendance.api.eligibility_serializers import CondonationSerializer
from attendance.models import Condonation
from core.api import filters
from core.api.viewsets import BaseViewSet
from core.recording import Disclosure


class CondonationFilter(filters.StrictFilterSet):
    decision = filters.UUIDFilter(field_name="decision_id")
    enrollment = filters.UUIDFilter(field_name="decision__enrollment_id")
    student = filters.UUIDFilter(field_name="decision__enrollment__student_id")
    section = filters.UUIDFilter(field_name="decision__section_id")
    term = filters.UUIDFilter(field_name="decision__term_id")

    class Meta:
        model = Condonation
        fields = ["decision", "enrollment", "student", "section", "term"]


class CondonationViewSet(BaseViewSet[Condonation]):
    """What was brought for shortages to be condoned, under the ids of the decisions that condone; the latest first.

    Protected documents are shown to the student and those who decide, and null to others.
    """

    queryset = Condonation.objects.all()
    discloses = Disclosure("condonation", "decision.enrollment.student.person_id")
    list_serializer_class = CondonationSerializer
    filterset_class = CondonationFilter
    ordering_fields = {"created_at": "created_at"}
    default_ordering = ("-created_at",)
    searchable = True
