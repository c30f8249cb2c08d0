"""Keeps the writers of values and a change of what their keys mean out of each other's way.

A transaction that writes values holds a shared lock on its kind of record; one that renames a
field, makes its values unique or deletes it holds the exclusive lock while it looks at and
rewrites the records. Writers never wait, because they may already hold rows that the rewriting
waits for: they are refused and may try again.
"""

from django.db import connection
from django.db.models import Model

from core.customfields.errors import CustomFieldsChangingError
from core.customfields.selectors import entity_type_of
from core.db.locks import LockTimeoutError, lock_patience
from core.together import once

# Sets these advisory locks apart from others of the two-key kind.
NAMESPACE = 0x4346
# How long a change of definitions waits for writers, in milliseconds.
PATIENCE = 5_000


def hold(model: type[Model]) -> None:
    """Keep the meaning of the values of `model` until the transaction ends.

    Raises `CustomFieldsChangingError` while a definition is being rebuilt. Outside a transaction
    nothing is written, so nothing is held.
    """
    if connection.in_atomic_block:
        entity_type = entity_type_of(model)
        once((hold, entity_type), lambda: _hold(entity_type))


def _hold(entity_type: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s, hashtext(%s))", [NAMESPACE, entity_type])
        (held,) = cursor.fetchone()
    if not held:
        raise CustomFieldsChangingError


def hold_exclusively(entity_type: str) -> None:
    """Wait until nobody writes values of `entity_type` and keep it so until the transaction ends.

    Raises `CustomFieldsChangingError`, which ends the transaction, when writers leave no gap.
    """
    try:
        with lock_patience(PATIENCE), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [NAMESPACE, entity_type])
    except LockTimeoutError:
        raise CustomFieldsChangingError("Records of this kind are being written; try again shortly.") from None
