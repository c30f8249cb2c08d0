"""Putting on record who was shown whose record."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS

from core.db.prepared import prepared
from core.provenance import nothing_follows, origin

_INSERT = """
    INSERT INTO audit_disclosure
        (what, subject_id, actor_id, actor_label, basis, route, request_id, key_prefix, address)
    SELECT %s, subject, %s::uuid, %s, %s, %s, %s, %s, %s::inet FROM unnest(%s::uuid[]) AS subject
"""


def record_disclosures(*, what: str, subjects: Collection[UUID], to: Any, permission: str, route: str) -> int:
    """Put on record that `to` was shown the records of people, and return of how many.

    Without anybody it was whoever runs the system, by a command.
    One statement whatever their number. Whoever is shown their own record leaves no entry (34 CFR 99.32(d)(1)).
    """
    own = str(getattr(to, "person_id", None))
    others = [subject for subject in map(str, subjects) if subject != own]
    if not others:
        return 0
    source = origin()
    roles = sorted(getattr(to, "roles_permitting", lambda _: ())(permission))
    basis = f"{permission} as {', '.join(roles)}" if roles else permission
    label = str(to)[:254] if to is not None else ""
    where = [route[:254], source.request_id, source.key_prefix, source.address]
    listed = f"{{{','.join(others)}}}"
    values = [what, getattr(to, "pk", None), label, basis[:254], *where, listed]
    with nothing_follows(), prepared(_INSERT, values, using=DEFAULT_DB_ALIAS):
        return len(others)
