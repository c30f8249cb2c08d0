"""HTTP for the files of projects: attached and listed below a project, and detached one by one."""

from typing import Any, ClassVar

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.fields import VisibleRelatedField
from core.api.nested import NestedListViewSet
from core.api.serializers import BaseListSerializer, WriteSerializer
from core.api.viewsets import BaseViewSet
from core.errors import OutOfScopeError
from core.recording import Disclosure
from core.visibility import visible
from files.models import FileAsset, FileLink
from files.selectors import people_behind
from projects import services
from projects.models import Project

VIEW, CHANGE = "projects.view_project", "projects.change_project"


class AttachedFile(BaseListSerializer[FileAsset]):
    class Meta:
        model = FileAsset
        fields = ["id", "name", "media_type", "size", "sha256", "scan_state"]


class AttachmentSerializer(BaseListSerializer[FileLink]):
    project = serializers.UUIDField(source="object_id", help_text="To which it is attached.")
    file = AttachedFile(source="asset", help_text="Its content is handed out by `/files/{id}/content/`.")
    attached_at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = FileLink
        fields = ["id", "project", "file", "attached_at"]


class AttachmentWriter(WriteSerializer):
    file = VisibleRelatedField(queryset=FileAsset.objects.live(), help_text="One that is there already.")


class _Attachments(BaseViewSet[FileLink]):
    discloses = Disclosure("file", "asset_id", behind=people_behind)
    list_serializer_class = AttachmentSerializer
    ordering_fields: ClassVar = {"attached_at": "created_at"}
    default_ordering = ("created_at",)

    def within(self, queryset: QuerySet[FileLink]) -> QuerySet[FileLink]:
        rows: Any = super().within(queryset)
        found: QuerySet[FileLink] = rows.attachments(Project._meta.label_lower)
        return found


class AttachmentsOfProjectViewSet(_Attachments, NestedListViewSet[FileLink]):
    """The files of a project: whoever sees it reads them, and they stay as long as they are attached."""

    queryset = FileLink.objects.all()
    parents = Project.objects.all()
    parent_field = "object_id"
    write_serializers: ClassVar = {"create": AttachmentWriter}
    action_permissions: ClassVar = {"list": VIEW, "create": CHANGE}

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Attach a file that is there already."""
        with transaction.atomic():
            projects = visible(Project.objects.filter(pk=kwargs["parent"]), self.actor, to="manage")
            project = projects.select_for_update(of=("self",), no_key=True).first()
            if project is None:
                raise OutOfScopeError
            link = services.attach_to_project(project, by=self.actor, **self.validated(request.data))
            return self.represent(self.fresh(link), status.HTTP_201_CREATED)


class AttachmentViewSet(_Attachments):
    """The files of all projects that the caller sees."""

    queryset = FileLink.objects.all()
    action_permissions: ClassVar = {**dict.fromkeys(("list", "retrieve"), VIEW), "destroy": CHANGE}

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Detach a file; it stays its owner's."""
        with transaction.atomic():
            link = self.within(self.manageable()).filter(pk=kwargs["pk"]).first()
            if link is None and self.in_sight().filter(pk=kwargs["pk"]).exists():
                raise OutOfScopeError
            if link is None:
                raise Http404
            services.detach_from_project(link, by=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)
