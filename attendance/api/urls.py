"""Where attendance answers."""

from attendance.api import views

routes = [("attendance/sessions", views.ClassSessionViewSet, "class-session")]
