"""Whatever route shows a record to somebody else, one entry for each person says so."""

import json
from collections import Counter
from typing import Any

import pytest
from django.db import transaction

from audit.models import Disclosure
from tests.audit.test_disclosures import is_personal
from tests.authorization import matrix
from tests.authorization.matrix import Operation
from tests.authorization.test_answers import url_of
from tests.authorization.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep]

# What shows nothing of anybody here, and where it is shown what it leaves.
ELSEWHERE = {
    "attendance/records/export/": "tests/attendance/test_export.py",
    "attendance/shortages/export/": "tests/attendance/test_export.py",
    "attendance/decisions/export/": "tests/attendance/test_export.py",
    "privacy/exports/{pk}/download/": "tests/privacy/test_exports.py",
    "imports/{parent}/rows/": "tests/interop/test_disclosures.py",
    # One's own, and shown to nobody else.
    **dict.fromkeys(("notifications/", "notifications/{pk}/"), "tests/notifications/test_api.py"),
}
READERS = ("registrar", "system_admin", "auditor")
SHOWING = [
    op
    for op in matrix.operations()
    if op.method == "GET"
    and hasattr(op.route.view, "queryset")
    and is_personal(op.route.model)
    and str(op.route) not in ELSEWHERE
]


def asked(world: World, op: Operation, actor: str) -> tuple[Any, Counter[Any]]:
    """Return what a read shows, if anything, and how many entries it leaves for each person."""
    query = f"?page_size={matrix.PAGE}" if op.route.lists else ""
    with transaction.atomic():
        last = Disclosure.objects.order_by("pk").values_list("pk", flat=True).last() or 0
        answer = world.clients[actor].get(url_of(world, op) + query)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        entries = Counter(Disclosure.objects.filter(pk__gt=last).values_list("subject_id", flat=True))
        transaction.set_rollback(True)
    if answer.status_code != 200:
        return None, entries
    return json.loads(content)["data"] if "json" in answer.headers["Content-Type"] else content, entries


@pytest.mark.checklist(83)
@pytest.mark.parametrize("op", SHOWING, ids=str)
def test_every_read_of_a_record_leaves_one_entry_for_each_person(op: Operation, world: World) -> None:
    told = {actor: asked(world, op, actor) for actor in READERS}
    shown = {actor: entries for actor, (data, entries) in told.items() if data}

    assert all(set(entries.values()) == {1} for entries in shown.values()), shown
    assert not any(entries for data, entries in told.values() if data is None)
    assert shown, "Nobody is shown anything here: let tests/authorization/world.py have such a row."
