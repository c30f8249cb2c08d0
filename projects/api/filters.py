"""Query parameters of projects."""

from typing import Any

from django.db.models import QuerySet

from core.api import filters
from core.api.filter_types import filter_for
from projects.kinds import Kind
from projects.models import ImportantDate, Project, ProjectMeta, ProjectState

COMMON = ["metadata", "owner", "state", "is_draft", "starts_from", "starts_to", "ends_from", "ends_to"]


class NotedFilter(filters.CharFilter):
    """A key and a text, with a colon between them."""

    expectation = "a key, a colon and a text"

    def parse(self, text: str) -> Any:
        key, colon, value = super().parse(text).partition(":")
        if not (key and colon and value):
            raise self.unreadable()
        return key, value

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "pattern": "^[^:]+:.+$", "maxLength": 200}


class ProjectsOfAKindFilter(filters.StrictFilterSet):
    metadata = NotedFilter(
        method="noted",
        help_text="`key:text`: those of which this text is noted under the key, alone or in a list of texts.",
    )
    owner = filters.UUIDFilter(field_name="owner_id", help_text="The account whose they are.")
    state = filters.MultipleChoiceFilter(choices=ProjectState.choices)
    is_draft = filters.BooleanFilter()
    starts_from = filters.DateFilter(field_name="start_date", lookup_expr="gte")
    starts_to = filters.DateFilter(field_name="start_date", lookup_expr="lte")
    ends_from = filters.DateFilter(field_name="end_date", lookup_expr="gte")
    ends_to = filters.DateFilter(field_name="end_date", lookup_expr="lte")

    class Meta:
        model = Project
        fields = COMMON

    def noted(self, queryset: QuerySet[Project], name: str, value: tuple[str, str]) -> QuerySet[Project]:
        key, text = value
        return queryset.filter(pk__in=ProjectMeta.objects.filter(key=key, value__contains=text).values("project"))


class ProjectFilter(ProjectsOfAKindFilter):
    class Meta:
        model = Project
        fields = ["project_type", *COMMON]


class ImportantDateFilter(filters.StrictFilterSet):
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = ImportantDate
        fields = ["date_from", "date_to"]


def filters_of(kind: Kind) -> type[ProjectsOfAKindFilter]:
    """Return the filters of the list of one kind: those of all projects, and by what the kind adds."""
    own: dict[str, Any] = {}
    for name in kind.filtered:
        own[name] = filter_for(kind.column(name))
        own[name].field_name = f"{kind.details}__{name}"
    meta = type("Meta", (), {"model": Project, "fields": [*own, *COMMON]})
    return type(f"{kind.model.__name__}Filter", (ProjectsOfAKindFilter,), {**own, "Meta": meta})
