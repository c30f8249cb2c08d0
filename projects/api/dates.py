"""HTTP for the days that matter to a project: listed and noted below it, and read and changed one by one."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.nested import NestedListViewSet
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.errors import OutOfScopeError
from core.recording import Disclosure
from core.visibility import visible
from projects import services
from projects.api import filters, serializers
from projects.models import ImportantDate, Project

VIEW, CHANGE = "projects.view_project", "projects.change_project"
DISCLOSED = Disclosure("project", "project.owner.person_id", permission="projects.view_every_project")


class DatesOfProjectViewSet(NestedListViewSet[ImportantDate], UnifiedViewSet[ImportantDate]):
    """The days that matter to a project."""

    queryset = ImportantDate.objects.all()
    parent_field = "project"
    discloses = DISCLOSED
    list_serializer_class = serializers.ImportantDateSerializer
    write_serializer_class = serializers.ImportantDateWriter
    filterset_class = filters.ImportantDateFilter
    ordering_fields: ClassVar = {"date": "date", "created_at": "created_at"}
    default_ordering = ("date",)
    action_permissions: ClassVar = {"list": VIEW, "create": CHANGE}

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Note a day of the project."""
        with transaction.atomic():
            projects = visible(Project.objects.filter(pk=kwargs["parent"]), self.actor, to="manage")
            project = projects.select_for_update(of=("self",), no_key=True).first()
            if project is None:
                raise OutOfScopeError
            row = services.add_important_date(project, by=self.actor, **self.validated(request.data))
            return self.represent(self.fresh(row), status.HTTP_201_CREATED)


class ImportantDateViewSet(UnifiedViewSet[ImportantDate]):
    """One day that matters to a project; whoever may change the project may change it."""

    queryset = ImportantDate.objects.all()
    discloses = DISCLOSED
    crud = Crud(update=services.update_important_date, delete=services.delete_important_date)
    list_serializer_class = serializers.ImportantDateSerializer
    write_serializer_class = serializers.ImportantDateWriter
    filterset_class = filters.ImportantDateFilter
    ordering_fields: ClassVar = {"date": "date", "created_at": "created_at"}
    default_ordering = ("date",)
    action_permissions: ClassVar = {
        **dict.fromkeys(("list", "retrieve"), VIEW),
        **dict.fromkeys(("update", "partial_update", "destroy"), CHANGE),
    }

    def lock_ahead(self, rows: QuerySet[ImportantDate], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock the project, as everybody does who writes what belongs to it."""
        list(Project.objects.select_for_update(no_key=True).filter(pk__in=rows.values("project")).only("pk"))
