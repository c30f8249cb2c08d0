"""Administration pages for projects."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from core.admin import ServiceAdmin
from core.admin_history import ReadOnlyInline, row_action
from core.crud import Crud
from core.recording import Disclosure
from projects import services
from projects.kinds import kind_of
from projects.models import ImportantDate, Project


def _publish(project: Project, *, by: Any) -> None:
    services.publish_project(project, by=by, at=timezone.now())


def _complete(project: Project, *, by: Any) -> None:
    services.complete_project(project, by=by, at=timezone.now())


class ImportantDateInline(ReadOnlyInline):
    model = ImportantDate
    fields = ("date", "title", "description")
    ordering = ("date", "id")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Say whether the caller reads projects: their dates are a part of them."""
        return bool(request.user.has_perm("projects.view_project"))


@admin.register(Project)
class ProjectAdmin(ServiceAdmin):
    """What people work on: looked at, named anew and cleared away; begun by whoever works on it, by the API."""

    discloses = Disclosure("project", "owner.person_id")
    crud = Crud(update=services.update_project, delete=services.delete_project)
    inlines = (ImportantDateInline,)
    list_display = ("name", "project_type", "owner", "state", "start_date", "end_date", "created_at")
    list_filter = ("project_type", "state")
    list_select_related = ("owner",)
    search_fields = ("name",)
    ordering = ("-created_at",)
    actions = (row_action("publish", "Publish", _publish), row_action("complete", "Complete", _complete))
    fields = (
        "project_type", "owner", "state", "name", "start_date", "end_date", "details", "id", "created_at", "updated_at",
    )  # fmt: skip
    readonly_fields = ("project_type", "owner", "state", "details", "id", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).for_api()  # type: ignore[attr-defined]  # a queryset of ours

    @admin.display(description="What its kind adds")
    def details(self, project: Project) -> str:
        kind = kind_of(project.project_type)
        row = None if kind is None else getattr(project, kind.details)
        return (
            ""
            if kind is None
            else "\n".join(f"{kind.column(name).verbose_name}: {getattr(row, name)}" for name in kind.fields)
        )
