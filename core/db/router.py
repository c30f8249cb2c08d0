"""Which database a query goes to: writes to the primary, reads to a replica where somebody has allowed that.

Installed only where there are replicas. All databases are one, so rows may refer to each other wherever they were read,
and the schema comes to the replicas with everything else.
"""

from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from core.db.positions import current_reads


class ReplicaRouter:
    """Reads within `reading_from_replicas` may go to a replica; everything else goes to the primary.

    Reads within `reading_for_analytics` go to the one called `analytics`: those of views that say how old it is.

    To the primary go all questions of the apps in DATABASE_PRIMARY_ONLY: who calls and what they may do is never a
    matter of how far a replica has come. Django asks for a database to write to when rows are locked, too.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        reads = current_reads()
        if reads is None or model._meta.app_label in settings.DATABASE_PRIMARY_ONLY:
            return DEFAULT_DB_ALIAS
        return reads.alias()

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return DEFAULT_DB_ALIAS

    def allow_relation(self, one: Model, other: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        return db == DEFAULT_DB_ALIAS
