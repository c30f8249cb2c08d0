"""Bring the versions of courses into effect whose first day has come."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from courses.services import adopt_versions


class Command(BaseCommand):
    """`manage.py adopt_course_versions` is for a daily schedule; running it twice is the same as once."""

    help = "Make the course versions that are in effect today the current ones."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{adopt_versions(on=timezone.localdate())} courses changed.")
