"""Query parameters of imports."""

from core.api import filters
from interop.models import ImportAction, ImportJob, ImportKind, ImportRow, ImportState
from interop.targets.registry import TARGETS


class ImportJobFilter(filters.StrictFilterSet):
    kind = filters.MultipleChoiceFilter(choices=ImportKind)
    state = filters.MultipleChoiceFilter(choices=ImportState)
    actor = filters.UUIDFilter(field_name="actor_id")

    class Meta:
        model = ImportJob
        fields = ["kind", "state", "actor"]


class ImportRowFilter(filters.StrictFilterSet):
    action = filters.MultipleChoiceFilter(choices=ImportAction)
    resource = filters.MultipleChoiceFilter(choices=[(name, name) for name in TARGETS])

    class Meta:
        model = ImportRow
        fields = ["action", "resource"]
