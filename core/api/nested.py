"""Lists of what belongs to one row: `/<parents>/{id}/<rows>/`."""

from typing import Any, ClassVar, TypeVar

from django.db import models
from django.db.models import Exists
from django.http import Http404
from rest_framework.request import Request

from core.api.parameters import model_of
from core.api.viewsets import BaseViewSet
from core.models import CustomizableModel
from core.visibility import visible

ModelT = TypeVar("ModelT", bound=models.Model)


class NestedListViewSet(BaseViewSet[ModelT]):
    """The rows whose `parent_field` is the row that the URL names as `parent`.

    Where `parent_field` is no foreign key, `parents` says which rows it means and `parent_key` by which of their
    columns. A parent out of sight answers 404, as it does itself. Route it by
    `path("<parents>/<uuid:parent>/<rows>/", View.as_view({"get": "list"}))`.
    """

    parent_field: ClassVar[str]
    parents: ClassVar[models.QuerySet[Any] | None] = None
    parent_key: ClassVar[str] = "pk"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        # Customizable rows take a question of their own. A page of them asks for the parent along with the rows.
        self._asks_along = (
            self.action == "list"
            and self.parent_key == "pk"
            and not self.made_of
            and issubclass(model_of(self), CustomizableModel)
        )
        self.parent_value = self.kwargs["parent"] if self._asks_along else self._found_parent()

    def within(self, queryset: models.QuerySet[ModelT]) -> models.QuerySet[ModelT]:
        rows = super().within(queryset.filter(**{self.parent_field: self.parent_value}))
        return rows.filter(Exists(self._named_parent())) if self._asks_along else rows

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        if not page and self._asks_along:
            self._found_parent()
        return page

    def _named_parent(self) -> models.QuerySet[Any]:
        parents: Any = self.parents
        if parents is None:
            related: Any = model_of(self)._meta.get_field(self.parent_field).related_model
            parents = related._default_manager
        return visible(parents.filter(pk=self.kwargs["parent"]), self.request.user)

    def _found_parent(self) -> Any:
        found = self._named_parent().values_list(self.parent_key).first()
        if found is None:
            raise Http404
        return found[0]
