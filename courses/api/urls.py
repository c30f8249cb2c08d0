"""Where the catalogue, the offer and the timetable answer."""

from django.urls import path

from courses.api import views

routes = [
    ("courses", views.CourseViewSet, "course"),
    ("requisites", views.RequisiteViewSet, "requisite"),
    ("sections", views.SectionViewSet, "section"),
    ("meetings", views.MeetingViewSet, "meeting"),
]

urlpatterns = [
    path(
        "courses/<uuid:parent>/versions/",
        views.CourseVersionViewSet.as_view({"get": "list", "post": "create"}),
        name="course-versions",
    ),
    path(
        "faculty/<uuid:parent>/sections/",
        views.SectionsOfFacultyViewSet.as_view({"get": "list"}),
        name="faculty-sections",
    ),
    path("timetable/", views.TimetableViewSet.as_view({"get": "list"}), name="timetable"),
    path(
        "sections/<uuid:parent>/meetings/",
        views.SectionMeetingViewSet.as_view({"get": "list"}),
        name="section-meetings",
    ),
]
