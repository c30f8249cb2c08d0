"""Sight of imports and exports: one's own, and for those who import, or read, for the institution, everybody's."""

from typing import Any

from django.db.models import Q

from accounts.assignments import scopes_of
from core.visibility import grants
from interop.models import ExportJob, ImportJob, ImportJobEvent, ImportRow


@grants(ImportJob, "manage")
def importers_see_and_manage_their_own_imports(actor: Any) -> Q | None:
    return Q(actor=actor.pk)


@grants(ImportJob)
def import_readers_see_every_import(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "interop.view_importjob").everywhere else None


@grants(ImportJob, "manage")
def importers_of_the_institution_manage_every_import(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "interop.change_importjob").everywhere else None


@grants(ImportRow)
@grants(ImportJobEvent)
def whoever_sees_an_import_sees_its_rows_and_history(actor: Any) -> Q | None:
    if scopes_of(actor, "interop.view_importjob").everywhere:
        return Q()
    return Q(job__in=ImportJob.objects.filter(actor=actor.pk).values("pk"))


@grants(ExportJob, "manage")
def everybody_sees_and_fetches_the_tables_they_asked_for(actor: Any) -> Q | None:
    return Q(requested_by=actor.pk)


@grants(ExportJob)
def export_readers_see_every_table_that_was_asked_for(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, "interop.view_exportjob").everywhere else None
