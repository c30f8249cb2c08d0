"""Where faculty answer."""

from django.urls import path

from faculty.api import views

routes = [("faculty", views.FacultyViewSet, "faculty")]

urlpatterns = [
    path(
        "faculty/<uuid:parent>/appointments/",
        views.AppointmentsOfFacultyViewSet.as_view({"get": "list"}),
        name="faculty-appointments",
    ),
    path(
        "faculty/<uuid:parent>/status-history/",
        views.FacultyStatusHistoryViewSet.as_view({"get": "list"}),
        name="faculty-status-history",
    ),
]
