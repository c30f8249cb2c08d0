"""What can be said of texts: where else they stand, how they read, what they are about. Stands on privacy and audit."""

from django.apps import AppConfig


class TextsConfig(AppConfig):
    name = "texts"
    verbose_name = "Texts"

    def ready(self) -> None:
        from audit.tracking import leave_out
        from core.cache import tags

        leave_out("Texts, of which the record they belong to says when they came; a copy would outlive them.",
                  "texts.Document")  # fmt: skip
        tags.leave_out("No answer shows them.", "texts.Document")
