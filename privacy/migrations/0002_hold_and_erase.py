import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids

CREATE = """
-- Erasing and placing a hold lock the same person, so whichever comes second finds what the first has left. This is
-- for whoever writes without that lock.
CREATE FUNCTION privacy_erasurerequest_respect_holds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM privacy_legalhold WHERE person_id = NEW.person_id AND released_at IS NULL) THEN
        RAISE EXCEPTION 'the records of % are held', NEW.person_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'privacy_erasurerequest_not_held';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER privacy_erasurerequest_not_held BEFORE INSERT OR UPDATE ON privacy_erasurerequest
FOR EACH ROW WHEN (NEW.state = 'done') EXECUTE FUNCTION privacy_erasurerequest_respect_holds();
"""
UNDO = """
DROP TRIGGER privacy_erasurerequest_not_held ON privacy_erasurerequest;
DROP FUNCTION privacy_erasurerequest_respect_holds();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0013_mail_owners_of_accounts"),
        ("privacy", "0001_ask_for_ones_data"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ErasureRequest",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("reason", models.CharField(blank=True, help_text="Needed for somebody else.", max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "Requested"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="requested",
                        max_length=9,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("erased_at", models.DateTimeField(blank=True, null=True)),
                (
                    "failure",
                    models.CharField(blank=True, help_text="The code of what stood in the way.", max_length=64),
                ),
                (
                    "counts",
                    models.JSONField(blank=True, default=dict, help_text="How many rows were concerned, by table."),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="erasures", to="accounts.person"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["created_at", "id"], name="privacy_erasure_latest"),
                    models.Index(fields=["requested_by", "created_at"], name="privacy_erasure_by_requester"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("requested", "approved"))),
                        fields=("person",),
                        name="privacy_erasurerequest_one_open",
                        violation_error_code="erasure_requested",
                        violation_error_message="The erasure of this person has been asked for already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["requested", "approved", "rejected", "done", "failed"])),
                        name="privacy_erasurerequest_state_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The state of an erasure is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("decided_by", models.F("requested_by")), _negated=True),
                        name="privacy_erasurerequest_two_people",
                        violation_error_code="self_approval",
                        violation_error_message="Whoever asked for an erasure does not decide on it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True), ("erased_at__isnull", False), _connector="OR"
                        ),
                        name="privacy_erasurerequest_done_at",
                        violation_error_code="invalid",
                        violation_error_message="An erasure that is done was done at some time.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("version", models.PositiveIntegerField(db_default=1, default=1, editable=False)),
                ("reason", models.CharField(help_text="The case or order that it is for.", max_length=500)),
                ("placed_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(blank=True, null=True)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="holds", to="accounts.person"
                    ),
                ),
                (
                    "placed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "released_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["created_at", "id"], name="privacy_legalhold_latest"),
                    models.Index(
                        condition=models.Q(("released_at", None)), fields=["person"], name="privacy_legalhold_in_force"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True),
                        name="privacy_legalhold_has_reason",
                        violation_error_code="reason_required",
                        violation_error_message="A hold says what it is for.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_at", None), ("released_at__gte", models.F("placed_at")), _connector="OR"
                        ),
                        name="privacy_legalhold_released_after",
                        violation_error_code="released_before_placed",
                        violation_error_message="A hold is released after it was placed.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(CREATE, UNDO),
    ]
