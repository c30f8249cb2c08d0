"""Lists of what belongs to one row: `/<parents>/{id}/<rows>/`."""

from typing import Any, ClassVar, TypeVar

from django.db import models
from django.http import Http404
from rest_framework.request import Request

from core.api.parameters import model_of
from core.api.viewsets import BaseViewSet
from core.visibility import visible

ModelT = TypeVar("ModelT", bound=models.Model)


class NestedListViewSet(BaseViewSet[ModelT]):
    """The rows whose `parent_field` is the row that the URL names as `parent`.

    A parent out of sight answers 404, as it does itself. Route it by
    `path("<parents>/<uuid:parent>/<rows>/", View.as_view({"get": "list"}))`.
    """

    parent_field: ClassVar[str]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        parents: Any = model_of(self)._meta.get_field(self.parent_field).related_model
        if not visible(parents._default_manager.filter(pk=self.kwargs["parent"]), request.user).exists():
            raise Http404

    def loaded(self, queryset: models.QuerySet[ModelT]) -> models.QuerySet[ModelT]:
        return super().loaded(queryset.filter(**{self.parent_field: self.kwargs["parent"]}))
