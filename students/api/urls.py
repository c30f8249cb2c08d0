"""Where students answer."""

from django.urls import path

from students.api import disclosures, views

routes = [
    ("students", views.StudentViewSet, "student"),
    ("program-enrollments", views.ProgramEnrollmentViewSet, "program-enrollment"),
]

urlpatterns = [
    path(
        "students/<uuid:parent>/disclosures/",
        disclosures.DisclosuresOfStudentViewSet.as_view({"get": "list"}),
        name="student-disclosures",
    ),
    path(
        "students/<uuid:parent>/program-enrollments/",
        views.ProgramsOfStudentViewSet.as_view({"get": "list"}),
        name="student-program-enrollments",
    ),
    path(
        "students/<uuid:parent>/status-history/",
        views.StatusHistoryViewSet.as_view({"get": "list"}),
        name="student-status-history",
    ),
    path(
        "program-enrollments/<uuid:parent>/status-history/",
        views.ProgramHistoryViewSet.as_view({"get": "list"}),
        name="program-enrollment-status-history",
    ),
]
