"""Where imports and exports answer."""

from django.urls import path

from interop.api import export_views, views

routes = [("imports", views.ImportJobViewSet, "import"), ("exports", export_views.ExportJobViewSet, "export")]
urlpatterns = [
    path("imports/<uuid:parent>/rows/", views.ImportRowViewSet.as_view({"get": "list"}), name="import-rows"),
]
