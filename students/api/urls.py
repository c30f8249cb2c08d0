"""Where students answer."""

from django.urls import path

from students.api import custom_fields, disclosures, guardians, opting_out, views

routes = [
    ("students", views.StudentViewSet, "student"),
    ("guardian-links", guardians.GuardianLinkViewSet, "guardian-link"),
    ("program-enrollments", views.ProgramEnrollmentViewSet, "program-enrollment"),
]

urlpatterns = [
    path(
        "students/<uuid:pk>/directory-opt-out/",
        opting_out.DirectoryOptOutViewSet.as_view({"post": "opt_out"}),
        name="student-directory-opt-out",
    ),
    path(
        "students/<uuid:parent>/custom-fields/",
        custom_fields.CustomFieldsOfStudentViewSet.as_view({"get": "list"}),
        name="student-custom-fields",
    ),
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
