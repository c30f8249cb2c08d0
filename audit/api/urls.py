"""Where the logs answer."""

from django.urls import path

from audit.api import views

urlpatterns = [
    path("audit-events/", views.EventViewSet.as_view({"get": "list"}), name="audit-events"),
    path("changes/", views.ChangeViewSet.as_view({"get": "list"}), name="changes"),
]
