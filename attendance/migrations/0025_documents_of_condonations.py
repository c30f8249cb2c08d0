"""What condonations rest on, such as documents."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import core.db.indexes
import core.db.json
import core.ids

# What a condonation is shown by, to the student and those who decide; an institution adds others like it.
DOCUMENT = """
INSERT INTO core_customfield (
    id, created_at, updated_at, entity_type, name, label, field_type, required, help_text, choices, validation_regex,
    is_active, "order", unique_values, is_searchable, protected
) VALUES (
    gen_random_uuid(), now(), now(), 'attendance.condonation', 'document', 'Document', 'file', false,
    'Such as a letter of a hospital.', '[]', '', true, 1, false, false, true
) ON CONFLICT DO NOTHING
"""
# Those that were granted before there were any documents.
GRANTED = """
INSERT INTO attendance_condonation (id, decision_id, created_at, updated_at)
SELECT id, id, decided_at, decided_at FROM attendance_eligibilitydecision WHERE condonation_id = id
"""
# It is as final as its decision; custom fields follow their definitions, and erasure empties them.
FINAL = """
CREATE FUNCTION attendance_keep_condonations() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.decision_id, NEW.created_at) = (OLD.id, OLD.decision_id, OLD.created_at) THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'a condonation would be changed or lost'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'attendance_condonation_final';
END $$;
CREATE TRIGGER attendance_condonation_final AFTER UPDATE OR DELETE ON attendance_condonation
    FOR EACH ROW EXECUTE FUNCTION attendance_keep_condonations();
"""
UNDO = """
DROP TRIGGER attendance_condonation_final ON attendance_condonation;
DROP FUNCTION attendance_keep_condonations();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0024_decide_about_terms"),
        ("core", "0008_note_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="Condonation",
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
                (
                    "custom_data",
                    models.JSONField(
                        blank=True,
                        db_default=models.Value({}, models.JSONField()),
                        decoder=core.db.json.ExactDecoder,
                        default=dict,
                        editable=False,
                        encoder=core.db.json.ExactEncoder,
                    ),
                ),
                (
                    "decision",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="grounds",
                        to="attendance.eligibilitydecision",
                    ),
                ),
            ],
            options={
                "indexes": [
                    core.db.indexes.NamedGinIndex(
                        fields=["custom_data"], name="attendance_condonation_custom_data", opclasses=["jsonb_path_ops"]
                    ),
                    models.Index(fields=["created_at", "id"], name="attendance_condonation_latest"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("pk", models.F("decision"))),
                        name="attendance_condonation_is_of_decision",
                        violation_error_code="invalid",
                        violation_error_message="A condonation has the id of its decision.",
                    )
                ],
            },
        ),
        migrations.RunSQL([DOCUMENT, GRANTED], migrations.RunSQL.noop),
        migrations.RunSQL(FINAL, UNDO),
    ]
