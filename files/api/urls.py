"""Where files answer."""

from files.api import upload_views, views

routes = [
    ("files", views.FileViewSet, "file"),
    ("files/uploads", upload_views.FileUploadViewSet, "file-upload"),
]
