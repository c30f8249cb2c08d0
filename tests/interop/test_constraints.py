"""Every named constraint of the app refuses what it names, whoever writes."""

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from core.db.constraints import error_for
from core.ids import new_id
from interop.models import ExportJob, ExternalIdentifier, ImportedValue, ImportJob, ImportRow
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db


def job(**values):
    return ImportJob.objects.create(**{"kind": "students", "file_name": "x.csv", "sha256": "0" * 64, **values})


def export(**values):
    return ExportJob.objects.create(**{"kind": "attendance_records", "requested_by": UserFactory(), **values})


def row(of=None, **values):
    fields = {"position": 1, "row_no": 2, "resource": "students", "action": "create", **values}
    return ImportRow.objects.create(job=of or job(), **fields)


def identifier(**values):
    fields = {"scheme": "oneroster", "value": "1", "entity_type": "students.student", "object_id": new_id()}
    return ExternalIdentifier.objects.create(**{**fields, **values})


def same_file_in_force_twice():
    job(state="applied", has_effect=True)
    job(state="applied", has_effect=True)


def same_place_twice():
    first = row()
    row(of=first.job)


def same_identifier_twice():
    identifier()
    identifier()


def remembered_twice():
    for _ in range(2):
        ImportedValue.objects.create(entity_type="students.student", object_id="01a1fe1f-3901-7de2-85ee-712fe8959786")


VIOLATIONS = [
    (same_file_in_force_twice, "interop_importjob_in_force_once", "already_imported"),
    (lambda: job(kind="horoscopes"), "interop_importjob_kind_known", "invalid_choice"),
    (lambda: job(state="lost"), "interop_importjob_state_known", "invalid_choice"),
    (lambda: job(rows_done=2, rows_total=1), "interop_importjob_progress_in_range", "invalid"),
    (lambda: export(state="lost"), "interop_exportjob_state_known", "invalid_choice"),
    (lambda: export(format="pdf"), "interop_exportjob_format_known", "invalid_choice"),
    (lambda: export(state="ready"), "interop_exportjob_ready_has_file", "invalid"),
    (same_place_twice, "interop_importrow_unique_position", "conflict"),
    (lambda: row(action="ignore"), "interop_importrow_action_known", "invalid_choice"),
    (same_identifier_twice, "interop_externalidentifier_unique_value", "identifier_taken"),
    (lambda: identifier(value=""), "interop_externalidentifier_not_blank", "blank"),
    (remembered_twice, "interop_importedvalue_one_each", "conflict"),
]


def test_every_constraint_of_the_app_is_tried():
    declared = {c.name for model in apps.get_app_config("interop").get_models() for c in model._meta.constraints}

    assert declared == {constraint for _, constraint, _ in VIOLATIONS}


@pytest.mark.parametrize(("violate", "constraint", "code"), VIOLATIONS)
def test_a_constraint_refuses_what_it_names(violate, constraint, code):
    with pytest.raises(IntegrityError) as violation, transaction.atomic():
        violate()

    assert violation.value.__cause__.diag.constraint_name == constraint
    assert error_for(violation.value).error_code == code


@pytest.mark.parametrize(
    "second",
    [
        {"state": "applied", "has_effect": False},
        {"state": "applied", "has_effect": True, "is_forced": True},
        {"state": "partially_applied", "has_effect": True},
        {"state": "reverted", "has_effect": True},
        {"state": "applied", "has_effect": True, "kind": "faculty"},
    ],
)
def test_the_same_file_may_come_again_where_it_is_not_in_force_twice(second):
    job(state="applied", has_effect=True)

    assert job(**second).pk
