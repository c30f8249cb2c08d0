"""Where the shape of the university answers."""

from departments.api import views

routes = [
    ("departments", views.DepartmentViewSet, "department"),
    ("appointments", views.AppointmentViewSet, "appointment"),
    ("programs", views.ProgramViewSet, "program"),
    ("campuses", views.CampusViewSet, "campus"),
    ("buildings", views.BuildingViewSet, "building"),
    ("rooms", views.RoomViewSet, "room"),
    ("room-reservations", views.RoomReservationViewSet, "room-reservation"),
    ("academic-years", views.AcademicYearViewSet, "academic-year"),
    ("terms", views.TermViewSet, "term"),
    ("calendar-events", views.CalendarEventViewSet, "calendar-event"),
]
