"""Loads the Celery application with Django, so that a task sent from anywhere goes to the configured broker."""

from django.apps import AppConfig


class CampusHub360Config(AppConfig):
    name = "campushub360"
    verbose_name = "CampusHub360"

    def ready(self) -> None:
        from campushub360 import celery  # noqa: F401 - importing it makes it the current application
