"""What a read of a row shows may be sent back as it stands, whole: it changes nothing and is refused nowhere."""

import json

import pytest
from rest_framework.test import APIClient

from departments.models import Department
from students.models import Student
from tests.contract.operations import Operation, operations

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("university"), pytest.mark.sweep]

CHANGES = [op for op in operations() if op.action in ("update", "partial_update")]

# So many are tried until there is one that may be changed.
ROWS = 20


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_a_row_that_is_sent_back_as_it_was_read_stays_as_it_is(system_admin: APIClient, operation: Operation) -> None:
    for pk in operation.route.model._base_manager.order_by("-pk").values_list("pk", flat=True)[:ROWS]:
        url = operation.route.url(pk=pk)
        read = system_admin.get(url)

        answer = system_admin.generic(operation.method, url, json.dumps(read.json()["data"]), "application/json")

        if answer.status_code == 409:  # one whose state lets nobody change it; nothing was wrong with the body
            continue
        assert answer.status_code == 200, answer.content
        assert answer.json()["data"] == read.json()["data"]
        assert answer["ETag"] == read["ETag"]
        return


def test_a_reference_that_is_sent_back_changed_is_refused(system_admin: APIClient) -> None:
    url = f"/api/v1/students/{Student.objects.order_by('pk')[0].pk}/"
    department = system_admin.get(url).json()["data"]["department"]
    other = Department.objects.exclude(pk=department["id"])[0]

    for changed in ({**department, "id": str(other.pk)}, {"id": department["id"]}, {**department, "name": "X"}):
        answer = system_admin.patch(url, {"department": changed}, format="json")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "department")
