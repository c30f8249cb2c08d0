"""Query parameters of the resources of privacy."""

from core.api import filters
from privacy.models import ErasureRequest, ErasureState, ExportState, LegalHold, SubjectExport


class SubjectExportFilter(filters.StrictFilterSet):
    person = filters.UUIDFilter(field_name="person_id")
    state = filters.MultipleChoiceFilter(choices=ExportState)

    class Meta:
        model = SubjectExport
        fields = ["person", "state"]


class ErasureRequestFilter(filters.StrictFilterSet):
    person = filters.UUIDFilter(field_name="person_id")
    state = filters.MultipleChoiceFilter(choices=ErasureState)

    class Meta:
        model = ErasureRequest
        fields = ["person", "state"]


class LegalHoldFilter(filters.StrictFilterSet):
    person = filters.UUIDFilter(field_name="person_id")

    class Meta:
        model = LegalHold
        fields = ["person"]
