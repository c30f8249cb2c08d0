"""Query parameters of the resources of privacy."""

from core.api import filters
from privacy.models import ExportState, SubjectExport


class SubjectExportFilter(filters.StrictFilterSet):
    person = filters.UUIDFilter(field_name="person_id")
    state = filters.MultipleChoiceFilter(choices=ExportState)

    class Meta:
        model = SubjectExport
        fields = ["person", "state"]
