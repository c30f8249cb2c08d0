"""What must hold of the encryption keys before a release goes on: each key that a row needs is there."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import Error, Tags, register

from core.security.rotation import removed_keys_in_use


@register(Tags.database)
def every_key_in_use_is_in_the_ring(
    app_configs: Any, databases: Sequence[str] | None = None, **options: Any
) -> list[Error]:
    """Refuse to migrate when a key was removed that rows still need; `migrate` and `check --database` ask this."""
    if not databases:
        return []
    return [
        Error(
            f"{rows} encrypted rows need the key {key_id}, which ENCRYPTION_KEYS does not name.",
            hint="Put the key back, run `manage.py reencrypt`, and remove it when that ends with status 0.",
            id="core.E020",
        )
        for key_id, rows in removed_keys_in_use().items()
    ]
