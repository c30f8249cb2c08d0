"""Sight of the log of a supervision: for both sides, who write it, and for who plans the cycle.

Whoever plans it signs nothing: what they would change, both sides sign anew.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, Q

from core.foreseen import foresees
from core.visibility import grants
from projects.models import LogEntry
from projects.visibility.cycles import of_cycles_planned_by
from projects.visibility.final_year import done_by, supervised_by
from projects.visibility.milestones import of_projects


@grants(LogEntry)
def members_see_what_was_said(actor: Any) -> Q | None:
    return done_by(actor, "project")


@grants(LogEntry, "manage")
def active_members_write_down_what_was_said(actor: Any) -> Q | None:
    return done_by(actor, "project", now=True)


@grants(LogEntry, "manage")
def supervisors_write_down_what_was_said(actor: Any) -> Q | None:
    return of_projects(supervised_by(actor))


@grants(LogEntry)
def those_in_charge_of_a_program_see_what_was_said(actor: Any) -> Q | None:
    return of_projects(of_cycles_planned_by(actor, "projects.view_logentry"))


@grants(LogEntry, "manage")
def who_plans_a_cycle_keeps_its_logs_in_order(actor: Any) -> Q | None:
    return of_projects(of_cycles_planned_by(actor))


@foresees(LogEntry)
def a_new_entry_belongs_to_a_project(values: Mapping[str, Any]) -> Sequence[Model]:
    return [LogEntry(project=values.get("project"))]
