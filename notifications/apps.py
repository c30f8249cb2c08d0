"""What people and programs are told, and how each wants to be. Stands on privacy, accounts and audit."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "notifications"
    verbose_name = "Notifications"

    def ready(self) -> None:
        from audit.tracking import leave_out
        from core.cache import tags
        from notifications import subscribers, visibility  # noqa: F401 - register themselves

        leave_out(
            "What somebody was told is theirs, and forgotten after a year.",
            "notifications.Notification",
            "notifications.DeliveryAttempt",
        )
        leave_out("A log of its own, forgotten after a month.", "notifications.WebhookDelivery")
        tags.leave_out(
            "Everybody's own, of which each question is answered anew.",
            *(model._meta.label for model in self.get_models()),
        )
