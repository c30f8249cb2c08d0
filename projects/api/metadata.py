"""HTTP for what is noted about a project: one object, read, added to, replaced, merged with and removed."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db import transaction
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.serializers import BaseDetailSerializer, WriteSerializer
from core.api.viewsets import BaseViewSet
from projects import services
from projects.api.views import DISCLOSED
from projects.models import Project

VIEW, CHANGE = "projects.view_project", "projects.change_project"


class ValueField(serializers.JSONField):
    """A value of any shape, exactly as the body of the request says it."""

    def to_internal_value(self, data: Any) -> Any:
        return data


class MetadataSerializer(BaseDetailSerializer[Project]):
    metadata = serializers.DictField(
        source="metadata_by_key", child=serializers.JSONField(), help_text="Values of any shape by their keys."
    )

    class Meta:
        model = Project
        fields = ["id", "metadata"]


class MetadataWriter(WriteSerializer):
    metadata = serializers.DictField(
        child=ValueField(allow_null=True),
        help_text="By keys of small letters and digits; in a merge, null removes a key.",
    )

    @property
    def request_example(self) -> Mapping[str, Any]:
        return {"metadata": {"syllabus": {"weeks": 14, "textbook": "Elements"}}}


class ProjectMetadataViewSet(BaseViewSet[Project]):
    """What is noted about a project under keys of its owner's choice. Its tag is that of the project."""

    queryset = Project.objects.all()
    discloses = DISCLOSED
    list_serializer_class = MetadataSerializer
    write_serializers: ClassVar = dict.fromkeys(("add", "replace", "merge"), MetadataWriter)
    action_permissions: ClassVar = {"retrieve": VIEW, **dict.fromkeys(("add", "replace", "merge", "clear"), CHANGE)}

    def add(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Note values under keys that the project does not have yet."""
        return self._written(services.add_metadata)

    def replace(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the project have these values and no others."""
        return self._written(services.replace_metadata)

    def merge(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Write these values and keep the others; null removes one."""
        return self._written(services.merge_metadata)

    def clear(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Remove all that is noted about the project."""
        with transaction.atomic():
            services.clear_metadata(self.locked(), by=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _written(self, service: Callable[..., Project]) -> Response:
        with transaction.atomic():
            project = self.locked()
            project = service(project, by=self.actor, **self.validated(self.request.data))
            return self.represent(self.fresh(project))
