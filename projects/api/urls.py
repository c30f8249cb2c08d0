"""Where projects answer."""

from typing import Any

from django.urls import path

from projects.api import metadata, views
from projects.kinds import kinds

routes = [("projects", views.ProjectViewSet, "project")]

METADATA: dict[str, Any] = {"get": "retrieve", "post": "add", "put": "replace", "patch": "merge", "delete": "clear"}

urlpatterns = [
    path("projects/<uuid:pk>/metadata/", metadata.ProjectMetadataViewSet.as_view(METADATA), name="project-metadata"),
    *(
        path(
            f"projects/{kind.resource}/", views.list_of(kind).as_view({"get": "list"}), name=f"projects-{kind.resource}"
        )
        for kind in kinds()
    ),
]
