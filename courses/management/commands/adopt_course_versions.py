"""Bring the versions of courses into effect whose first day has come."""

from typing import Any

from django.utils import timezone

from core.management.chore import ChoreCommand
from courses.services import adopt_versions


class Command(ChoreCommand):
    """`manage.py adopt_course_versions` does by hand what the schedule does; running it twice is the same as once."""

    help = "Make the course versions that are in effect today the current ones."
    chore = "adopt_course_versions"
    done = "{count} courses changed."

    def work(self, **_options: Any) -> int:
        return adopt_versions(on=timezone.localdate())
