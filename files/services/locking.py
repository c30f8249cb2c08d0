"""The locks that keep rows and bytes together.

Whoever writes a row shares the lock of its content until the row is committed; the collector takes it alone. So it
never meets a content whose row is on the way, and uploads of one content need not wait for each other.
"""

from django.db import connection

from core.db.locks import lock_named

_KEY = "hashtextextended('files.content:' || %s, 0)"


def share_content(sha256: str) -> None:
    """Keep a content from being collected until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_KEY})", [sha256])


def hold_content(sha256: str) -> bool:
    """Keep everybody from referring to a content until the transaction ends; False where somebody is about to."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_xact_lock({_KEY})", [sha256])
        return bool(cursor.fetchone()[0])


def hold_quota(owner_id: object) -> None:
    """Let what somebody has uploaded be counted and added to by one transaction at a time."""
    lock_named("files.quota", str(owner_id))
