"""What is taught: the catalogue of courses, their sections and timetable. Stands on faculty and departments."""

from django.apps import AppConfig

# The columns that change as students enrol, and those that change with every other one.
SEATS = [
    *("capacity", "override_seats", "held_count", "enrolled_count", "waitlist_capacity", "waitlisted_count"),
    *("version", "updated_at"),
]


class CoursesConfig(AppConfig):
    name = "courses"
    verbose_name = "Courses and timetable"

    def ready(self) -> None:
        from accounts.assignments import register_unit
        from accounts.roles import ScopeKind
        from core.cache import tags
        from courses import refusals, visibility, webhooks  # noqa: F401 - register themselves
        from courses.models import Section

        register_unit(ScopeKind.SECTION, Section)
        # Sections are shown one by one while students enrol in others; few answers show how many seats are left.
        tags.divide_by_row("courses.Course", "courses.Section")
        tags.set_apart("seats", "courses.Section", columns=SEATS)
