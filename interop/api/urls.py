"""Where imports answer."""

from django.urls import path

from interop.api import views

routes = [("imports", views.ImportJobViewSet, "import")]
urlpatterns = [
    path("imports/<uuid:parent>/rows/", views.ImportRowViewSet.as_view({"get": "list"}), name="import-rows"),
]
