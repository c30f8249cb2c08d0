"""HTTP for finding projects by words."""

from functools import cached_property
from typing import Any, ClassVar

from django.db.models import QuerySet

from core.api import filters
from core.api.keyset import Keyset
from core.api.rows import Keys, LoadedRows
from core.api.viewsets import BaseViewSet
from core.errors import InvalidError
from core.search import MAX_TEXT_LENGTH, refusal_of
from projects.api.filters import COMMON, ProjectFilter
from projects.api.serializers import ProjectSerializer
from projects.api.views import DISCLOSED
from projects.models import Project
from projects.search import found_by, ranked


class TextFilter(filters.CharFilter):
    """A text that is looked for by its words."""

    def parse(self, text: str) -> str:
        refused = refusal_of(text)
        if refused is not None:
            raise InvalidError(refused.detail, code=refused.error_code)
        return text

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": MAX_TEXT_LENGTH}


class ProjectSearchFilter(ProjectFilter):
    q = TextFilter(
        method="matching",
        help_text="At most 10 words that begin words of the name, of what the kind adds, or of a note.",
    )

    class Meta:
        model = Project
        fields = ["q", "project_type", *COMMON]

    def matching(self, queryset: QuerySet[Project], name: str, value: str) -> QuerySet[Project]:
        return found_by(queryset, value)


class RankedRows(LoadedRows):
    """Rows in the order of how well they fit what is looked for."""

    def fetch(self, ordering: Keyset, keys: Keys) -> list[Any]:
        rows = self.view.ranked(self.view.loaded(self.view.queryset.all()))
        return list(ordering.ordered(rows.filter(pk__in=keys.chosen().values("pk"))))


class ProjectSearchViewSet(BaseViewSet[Project]):
    """Projects by the words in them, what fits best first; those that the caller sees, and without `q` all of them."""

    queryset = ranked(Project.objects.all(), "")
    discloses = DISCLOSED
    list_serializer_class = ProjectSerializer
    filterset_class = ProjectSearchFilter
    ordering_fields: ClassVar = {"rank": "rank", "created_at": "created_at", "name": "name"}
    default_ordering = ("-rank", "-created_at")

    @cached_property
    def rows(self) -> RankedRows:
        return RankedRows(self)

    def within(self, queryset: QuerySet[Project]) -> QuerySet[Project]:
        return self.ranked(super().within(queryset))

    def ranked(self, queryset: QuerySet[Project]) -> QuerySet[Project]:
        """Let the rows say how well they fit."""
        return ranked(queryset, self.request.query_params.get("q", ""))
