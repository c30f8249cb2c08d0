"""Keep what is due in final projects, the steps of it, and who asks for more time."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids

CREATE = """
-- What is due is due while the cycle has time for it. The cycle is shared, so that its time does not change meanwhile.
CREATE FUNCTION projects_check_due() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    due_in uuid;
    until timestamptz;
    found projects_projectcycle;
BEGIN
    IF TG_TABLE_NAME = 'projects_milestone' THEN
        SELECT cycle_id INTO due_in FROM projects_finalyearproject WHERE id = NEW.project_id;
        until := greatest(NEW.due_at, NEW.extended_until);
    ELSE
        due_in := NEW.cycle_id;
        until := NEW.due_at;
    END IF;
    SELECT * INTO found FROM projects_projectcycle WHERE id = due_in FOR SHARE;
    IF NEW.due_at < found.preferences_close_at OR until > found.ends_at THEN
        RAISE EXCEPTION 'due at %, which is outside the time of the cycle', until
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER projects_milestone_within_cycle
BEFORE INSERT OR UPDATE OF project_id, due_at, extended_until ON projects_milestone
FOR EACH ROW EXECUTE FUNCTION projects_check_due();

CREATE TRIGGER projects_plannedmilestone_within_cycle
BEFORE INSERT OR UPDATE OF cycle_id, due_at ON projects_plannedmilestone
FOR EACH ROW EXECUTE FUNCTION projects_check_due();

CREATE FUNCTION projects_check_cycle_holds_milestones() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM projects_milestone milestone
        JOIN projects_finalyearproject project ON project.id = milestone.project_id
        WHERE project.cycle_id = NEW.id
            AND (due_at < NEW.preferences_close_at OR greatest(due_at, extended_until) > NEW.ends_at)
    ) OR EXISTS (
        SELECT FROM projects_plannedmilestone
        WHERE cycle_id = NEW.id AND (due_at < NEW.preferences_close_at OR due_at > NEW.ends_at)
    ) THEN
        RAISE EXCEPTION 'something is due outside the time that the cycle would have'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_projectcycle_holds_milestones
AFTER UPDATE OF preferences_close_at, ends_at ON projects_projectcycle
FOR EACH ROW WHEN (
    OLD.preferences_close_at < NEW.preferences_close_at OR OLD.ends_at > NEW.ends_at
)
EXECUTE FUNCTION projects_check_cycle_holds_milestones();

-- The project is locked, so that nobody adds to what another transaction has summed up.
CREATE FUNCTION projects_check_milestone_weights() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM projects_finalyearproject WHERE id = NEW.project_id FOR NO KEY UPDATE;
    IF (SELECT sum(weight) FROM projects_milestone WHERE project_id = NEW.project_id) > 100 THEN
        RAISE EXCEPTION 'the milestones of the project would weigh more than the whole'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER projects_milestone_weights_within_whole
AFTER INSERT OR UPDATE OF project_id, weight ON projects_milestone
FOR EACH ROW EXECUTE FUNCTION projects_check_milestone_weights();

CREATE FUNCTION projects_keep_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is settled stays as it is'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME;
END $$;

-- All but what was said, which erasure empties.
CREATE TRIGGER projects_extensionrequest_immutable
BEFORE UPDATE ON projects_extensionrequest
FOR EACH ROW WHEN (
    OLD.decided_at IS NOT NULL AND (OLD.milestone_id, OLD.until, OLD.status, OLD.requested_by_id, OLD.decided_by_id,
    OLD.decided_at) IS DISTINCT FROM (NEW.milestone_id, NEW.until, NEW.status, NEW.requested_by_id, NEW.decided_by_id,
    NEW.decided_at)
)
EXECUTE FUNCTION projects_keep_settled();
"""
DROP = """
DROP TRIGGER projects_extensionrequest_immutable ON projects_extensionrequest;
DROP FUNCTION projects_keep_settled();
DROP TRIGGER projects_milestone_weights_within_whole ON projects_milestone;
DROP FUNCTION projects_check_milestone_weights();
DROP TRIGGER projects_projectcycle_holds_milestones ON projects_projectcycle;
DROP FUNCTION projects_check_cycle_holds_milestones();
DROP TRIGGER projects_plannedmilestone_within_cycle ON projects_plannedmilestone;
DROP TRIGGER projects_milestone_within_cycle ON projects_milestone;
DROP FUNCTION projects_check_due();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0005_hold_places"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PlannedMilestone",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("proposal", "Proposal"),
                            ("progress_report", "Progress report"),
                            ("draft", "Draft"),
                            ("final_report", "Final report"),
                            ("presentation", "Presentation"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("due_at", models.DateTimeField()),
                (
                    "weight",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal(0),
                        help_text="How much of the project it is, in per cent.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(100)),
                        ],
                    ),
                ),
                (
                    "cycle",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="planned_milestones",
                        to="projects.projectcycle",
                    ),
                ),
            ],
            options={
                "permissions": (("apply_plannedmilestone", "Can give a milestone to all projects of a cycle"),),
                "indexes": [models.Index(fields=["due_at", "id"], name="projects_planned_by_due")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["proposal", "progress_report", "draft", "final_report", "presentation", "other"],
                            )
                        ),
                        name="projects_plannedmilestone_kind_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The kind is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True),
                        name="projects_plannedmilestone_titled",
                        violation_error_code="blank",
                        violation_error_message="A milestone has a title.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weight__gte", 0), ("weight__lte", 100)),
                        name="projects_plannedmilestone_weight_in_range",
                        violation_error_code="weight_out_of_range",
                        violation_error_message="A milestone weighs between 0 and 100 per cent.",
                    ),
                    models.UniqueConstraint(
                        fields=("cycle", "title"),
                        name="projects_plannedmilestone_once",
                        violation_error_code="milestone_taken",
                        violation_error_message="There is a milestone with this title already.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Milestone",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("proposal", "Proposal"),
                            ("progress_report", "Progress report"),
                            ("draft", "Draft"),
                            ("final_report", "Final report"),
                            ("presentation", "Presentation"),
                            ("other", "Other"),
                        ],
                        max_length=20,
                    ),
                ),
                ("title", models.CharField(max_length=200)),
                ("due_at", models.DateTimeField()),
                (
                    "weight",
                    models.DecimalField(
                        decimal_places=2,
                        default=Decimal(0),
                        help_text="How much of the project it is, in per cent.",
                        max_digits=5,
                        validators=[
                            django.core.validators.MinValueValidator(Decimal(0)),
                            django.core.validators.MaxValueValidator(Decimal(100)),
                        ],
                    ),
                ),
                ("extended_until", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("submitted", "Submitted"),
                            ("accepted", "Accepted"),
                            ("returned", "Returned"),
                        ],
                        default="planned",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="milestones",
                        to="projects.finalyearproject",
                    ),
                ),
                (
                    "planned",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="milestones",
                        to="projects.plannedmilestone",
                    ),
                ),
            ],
            options={
                "permissions": (
                    ("submit_milestone", "Can say that a milestone is reached"),
                    ("judge_milestone", "Can accept a milestone or return it"),
                ),
                "indexes": [
                    models.Index(fields=["due_at", "id"], name="projects_milestone_by_due"),
                    models.Index(fields=["created_at", "id"], name="projects_milestone_by_creation"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "kind__in",
                                ["proposal", "progress_report", "draft", "final_report", "presentation", "other"],
                            )
                        ),
                        name="projects_milestone_kind_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The kind is not one of the known ones.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("title", ""), _negated=True),
                        name="projects_milestone_titled",
                        violation_error_code="blank",
                        violation_error_message="A milestone has a title.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("weight__gte", 0), ("weight__lte", 100)),
                        name="projects_milestone_weight_in_range",
                        violation_error_code="weight_out_of_range",
                        violation_error_message="A milestone weighs between 0 and 100 per cent.",
                    ),
                    models.UniqueConstraint(
                        fields=("project", "title"),
                        name="projects_milestone_once",
                        violation_error_code="milestone_taken",
                        violation_error_message="There is a milestone with this title already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("extended_until__isnull", True),
                            ("extended_until__gt", models.F("due_at")),
                            _connector="OR",
                        ),
                        name="projects_milestone_extended_beyond",
                        violation_error_code="extension_not_later",
                        violation_error_message="An extension ends after the time until which it is due anyway.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["planned", "submitted", "accepted", "returned"])),
                        name="projects_milestone_status_known",
                        violation_error_code="invalid_choice",
                        violation_error_message="The status is not one of the known ones.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MilestoneEvent",
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
                (
                    "from_status",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("planned", "Planned"),
                            ("submitted", "Submitted"),
                            ("accepted", "Accepted"),
                            ("returned", "Returned"),
                        ],
                        help_text="Empty at first.",
                        max_length=10,
                    ),
                ),
                (
                    "to_status",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("submitted", "Submitted"),
                            ("accepted", "Accepted"),
                            ("returned", "Returned"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField(blank=True, max_length=5000)),
                ("happened_at", models.DateTimeField()),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "milestone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="projects.milestone"
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.CreateModel(
            name="ExtensionRequest",
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
                ("until", models.DateTimeField(help_text="Until when it is to be due instead.")),
                ("reason", models.TextField(max_length=2000)),
                (
                    "status",
                    models.CharField(
                        choices=[("requested", "Requested"), ("granted", "Granted"), ("refused", "Refused")],
                        default="requested",
                        editable=False,
                        max_length=10,
                    ),
                ),
                (
                    "answer",
                    models.TextField(
                        blank=True, editable=False, help_text="What whoever decided says of it.", max_length=2000
                    ),
                ),
                ("decided_at", models.DateTimeField(editable=False, null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "milestone",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extension_requests",
                        to="projects.milestone",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "permissions": (("decide_extensionrequest", "Can decide whether there is more time"),),
                "indexes": [models.Index(fields=["created_at", "id"], name="projects_extension_by_creation")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "requested")),
                        fields=("milestone",),
                        name="projects_extensionrequest_one_pending",
                        violation_error_code="extension_pending",
                        violation_error_message="Somebody has asked for more time already, and nobody has decided yet.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True), ("decided_by__isnull", True), ("status", "requested")
                            ),
                            models.Q(("decided_at__isnull", False), ("status__in", ["granted", "refused"])),
                            _connector="OR",
                        ),
                        name="projects_extensionrequest_decided",
                        violation_error_code="invalid",
                        violation_error_message="What was decided says when, and what was not says nothing.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("decided_by__isnull", True),
                            ("requested_by__isnull", True),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="projects_extensionrequest_decided_by_another",
                        violation_error_code="self_approval",
                        violation_error_message="Nobody decides about what they asked for.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
