"""Where attendance answers."""

from django.urls import path

from attendance.api import views

routes = [
    ("attendance/sessions", views.ClassSessionViewSet, "class-session"),
    ("attendance/codes", views.AttendanceCodeViewSet, "attendance-code"),
]

SESSION = "attendance/sessions/<uuid:pk>"

urlpatterns = [
    path(f"{SESSION}/roster/", views.RosterViewSet.as_view({"get": "retrieve", "put": "mark"}), name="roster"),
    path(f"{SESSION}/open/", views.RosterViewSet.as_view({"post": "open"}), name="roster-open"),
    path(f"{SESSION}/close/", views.RosterViewSet.as_view({"post": "close"}), name="roster-close"),
]
