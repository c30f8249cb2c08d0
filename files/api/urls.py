"""Where files answer."""

from files.api import views

routes = [("files", views.FileViewSet, "file")]
