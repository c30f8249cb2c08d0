"""The foundation every other app stands on."""

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        # Importing these registers checks, admin pages and grants.
        from core import checks  # noqa: F401 - register themselves
        from core.cache.tags import follow
        from core.customfields import admin, visibility  # noqa: F401 - register themselves
        from core.customfields import checks as custom_field_checks  # noqa: F401 - register themselves
        from core.privacy import own  # noqa: F401 - registers itself
        from core.provenance import watch
        from core.security import checks as key_checks  # noqa: F401 - register themselves

        # Every process knows every event, also those that only others publish, and what is personal.
        autodiscover_modules("events", "privacy")
        connection_created.connect(watch, dispatch_uid="core.provenance")
        post_migrate.connect(follow, sender=self, dispatch_uid="core.cache.tags")
