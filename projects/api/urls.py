"""Where projects answer."""

from django.urls import path

from projects.api import views
from projects.kinds import kinds

routes = [("projects", views.ProjectViewSet, "project")]

urlpatterns = [
    path(f"projects/{kind.resource}/", views.list_of(kind).as_view({"get": "list"}), name=f"projects-{kind.resource}")
    for kind in kinds()
]
