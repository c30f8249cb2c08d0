"""What can be said of texts: where else they stand, how they read, what they are about. Stands on privacy."""

from django.apps import AppConfig


class TextsConfig(AppConfig):
    name = "texts"
    verbose_name = "Texts"
