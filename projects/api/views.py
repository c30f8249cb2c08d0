"""HTTP for projects: translate, call one service, represent."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.viewsets import BaseViewSet, UnifiedViewSet
from core.crud import Crud
from core.recording import Disclosure
from projects import services
from projects.api import filters, serializers
from projects.kinds import Kind
from projects.models import Project

STEPS = ("publish", "complete", "reopen")
ORDERING = {"created_at": "created_at", "updated_at": "updated_at", "name": "name"}
DISCLOSED = Disclosure("project", "owner.person_id", permission="projects.view_every_project")


class ProjectViewSet(UnifiedViewSet[Project]):
    """Projects of every kind: one's own, and all for those who answer for them.

    What a kind adds stands under its name, such as `school_data`; of a project of another kind that is null.
    """

    queryset = Project.objects.all()
    discloses = DISCLOSED
    crud = Crud(create=services.create_project, update=services.update_project, delete=services.delete_project)
    list_serializer_class = serializers.ProjectSerializer
    write_serializer_class = serializers.ProjectWriter
    write_serializers = {"create": serializers.NewProjectWriter}
    filterset_class = filters.ProjectFilter
    ordering_fields = ORDERING
    default_ordering = ("-created_at",)
    searchable = True
    action_permissions = dict.fromkeys(STEPS, "projects.change_project")

    def writer_context(self, row: Project | None = None) -> dict[str, Any]:
        return {**super().writer_context(row), "project": row}

    def _stepped(self, service: Callable[..., Project]) -> Response:
        with transaction.atomic():
            return self.represent(self.fresh(service(self.locked(), by=self.actor, at=timezone.now())))

    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Let a draft be a draft no more."""
        return self._stepped(services.publish_project)

    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: str) -> Response:
        """Note that the work is done."""
        return self._stepped(services.complete_project)

    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Take a completed project up again."""
        return self._stepped(services.reopen_project)


class ProjectsOfAKindViewSet(BaseViewSet[Project]):
    """Projects of one kind, narrowed by what that adds as well."""

    discloses = DISCLOSED
    list_serializer_class = serializers.ProjectSerializer
    ordering_fields = ORDERING
    default_ordering = ("-created_at",)
    searchable = True


def list_of(kind: Kind) -> type[ProjectsOfAKindViewSet]:
    """Return the list of the projects of a kind."""
    return type(
        f"{kind.model.__name__}ListViewSet",
        (ProjectsOfAKindViewSet,),
        {
            "__doc__": f"The {kind.label}s among the projects.",
            "queryset": Project.objects.of_type(kind.project_type),
            "filterset_class": filters.filters_of(kind),
        },
    )
