"""Query parameters of the directory."""

from typing import Any

from django.db.models import QuerySet

from core.api import filters
from directory.models import DirectoryEntry, Kind
from students.models import ProgramEnrollment


class DirectoryFilter(filters.StrictFilterSet):
    kind = filters.ChoiceFilter(choices=Kind)
    department = filters.UUIDFilter(field_name="department_id")
    program = filters.UUIDFilter(method="in_primary", help_text="Students whose primary program it is.")
    email = filters.CharFilter(field_name="person__email", lookup_expr="iexact")

    class Meta:
        model = DirectoryEntry
        fields = ["kind", "department", "program", "email"]

    def in_primary(self, queryset: QuerySet[DirectoryEntry], name: str, value: Any) -> QuerySet[DirectoryEntry]:
        return queryset.filter(
            pk__in=ProgramEnrollment.objects.filter(is_primary=True, program=value).values("student")
        )
