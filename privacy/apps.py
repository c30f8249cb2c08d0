"""What people may ask about their own data: to be shown it all, and to be forgotten. Stands on accounts."""

from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = "Privacy"

    def ready(self) -> None:
        from privacy import subscribers, visibility  # noqa: F401 - register themselves
