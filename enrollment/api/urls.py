"""Where enrolments answer."""

from django.urls import path

from enrollment.api import views

routes = [("enrollments", views.EnrollmentViewSet, "enrollment")]

urlpatterns = [
    path("sections/<uuid:parent>/roster/", views.RosterViewSet.as_view({"get": "list"}), name="section-roster"),
    path(
        "students/<uuid:parent>/enrollments/",
        views.StudentEnrollmentViewSet.as_view({"get": "list"}),
        name="student-enrollments",
    ),
    path(
        "enrollments/<uuid:parent>/history/",
        views.EnrollmentEventViewSet.as_view({"get": "list"}),
        name="enrollment-history",
    ),
]
