"""The outbox with the sequence that numbers its events, and the memory of answered requests."""

import django.contrib.postgres.fields
import django.db.models.functions
from django.db import migrations, models
from django.db.models import Q

import core.ids

# An identity column would have to be the primary key to be known to Django; a sequence that belongs
# to the column is the same thing.
CREATE_SEQUENCE = "CREATE SEQUENCE core_outboxevent_seq AS bigint;"
GIVE_SEQUENCE = "ALTER SEQUENCE core_outboxevent_seq OWNED BY core_outboxevent.seq;"
TAKE_SEQUENCE = "ALTER SEQUENCE core_outboxevent_seq OWNED BY NONE;"
DROP_SEQUENCE = "DROP SEQUENCE core_outboxevent_seq;"


class Migration(migrations.Migration):
    dependencies = [("core", "0001_extensions")]

    operations = [
        migrations.RunSQL(CREATE_SEQUENCE, DROP_SEQUENCE),
        migrations.CreateModel(
            name="OutboxEvent",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.Now())),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=django.db.models.functions.Now())),
                (
                    "seq",
                    models.BigIntegerField(
                        db_default=models.Func(models.Value("core_outboxevent_seq"), function="nextval"),
                        editable=False,
                    ),
                ),
                ("name", models.CharField(max_length=100)),
                ("payload", models.JSONField()),
                (
                    "available_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.Now(), help_text="Not tried before this instant."
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                (
                    "delivered_to",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200),
                        db_default=models.Value("{}"),
                        default=list,
                        size=None,
                    ),
                ),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("dead_at", models.DateTimeField(blank=True, null=True)),
                ("last_error", models.CharField(blank=True, db_default="", default="", max_length=500)),
            ],
            options={
                "indexes": [
                    models.Index(
                        fields=["seq"], condition=Q(delivered_at=None, dead_at=None), name="core_outboxevent_pending"
                    ),
                    models.Index(fields=["dead_at"], condition=~Q(dead_at=None), name="core_outboxevent_dead"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(delivered_at=None) | Q(dead_at=None),
                        name="core_outboxevent_delivered_or_dead",
                        violation_error_code="event_delivered_and_dead",
                        violation_error_message="An event is either delivered or given up.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GIVE_SEQUENCE, TAKE_SEQUENCE),
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.Now())),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=django.db.models.functions.Now())),
                (
                    "principal",
                    models.CharField(help_text="Who sent the request; keys of others are never seen.", max_length=100),
                ),
                ("key", models.CharField(max_length=255)),
                ("method", models.CharField(max_length=10)),
                ("path", models.TextField()),
                (
                    "request_sha256",
                    models.CharField(help_text="Digest of what was asked, in hexadecimal.", max_length=64),
                ),
                ("status_code", models.PositiveSmallIntegerField()),
                ("response_headers", models.JSONField(default=dict)),
                ("response_body", models.BinaryField()),
                ("expires_at", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["expires_at"], name="core_idempotencykey_expiry")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["principal", "key"],
                        name="core_idempotencykey_unique_key",
                        violation_error_code="idempotency_in_progress",
                        violation_error_message="A request with this key is being answered.",
                    ),
                    models.CheckConstraint(
                        condition=Q(key__regex=r"^[\x20-\x7e]{1,255}$"),
                        name="core_idempotencykey_printable_key",
                        violation_error_code="idempotency_key_invalid",
                        violation_error_message="The key is 1 to 255 printable ASCII characters.",
                    ),
                    models.CheckConstraint(
                        condition=Q(status_code__range=(200, 499)),
                        name="core_idempotencykey_final_answer",
                        violation_error_code="idempotency_answer_not_final",
                        violation_error_message="Only a final answer is remembered.",
                    ),
                ],
            },
        ),
    ]
