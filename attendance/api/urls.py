"""Where attendance answers."""

from django.urls import path

from attendance.api import standing_views, views

routes = [
    ("attendance/sessions", views.ClassSessionViewSet, "class-session"),
    ("attendance/codes", views.AttendanceCodeViewSet, "attendance-code"),
]

SESSION = "attendance/sessions/<uuid:pk>"

urlpatterns = [
    path(f"{SESSION}/roster/", views.RosterViewSet.as_view({"get": "retrieve", "put": "mark"}), name="roster"),
    path(f"{SESSION}/open/", views.RosterViewSet.as_view({"post": "open"}), name="roster-open"),
    path(f"{SESSION}/close/", views.RosterViewSet.as_view({"post": "close"}), name="roster-close"),
    path(
        "students/<uuid:parent>/attendance/",
        standing_views.StudentAttendanceViewSet.as_view({"get": "retrieve"}),
        name="student-attendance",
    ),
    path(
        "sections/<uuid:parent>/attendance/",
        standing_views.SectionAttendanceViewSet.as_view({"get": "retrieve"}),
        name="section-attendance",
    ),
    path(
        "enrollments/<uuid:pk>/attendance/",
        standing_views.EnrollmentAttendanceViewSet.as_view({"get": "retrieve"}),
        name="enrollment-attendance",
    ),
]
