"""Sight of files: one's own, those of the records that one sees, and all for those who answer for them."""

from typing import Any

from django.db.models import Model, Q, QuerySet

from accounts.assignments import scopes_of
from core.customfields import customizable_models
from core.customfields.protection import rows_known
from core.visibility import grants, visible
from files.models import FileAsset, FileLink, FileUpload
from files.selectors import file_fields_of

VIEW_ALL, MANAGE_ALL = "files.view_every_file", "files.manage_every_file"


@grants(FileAsset, "manage")
def everybody_sees_and_deletes_the_files_they_uploaded(actor: Any) -> Q | None:
    return Q(owner=actor.pk, deleted_at=None)


@grants(FileUpload, "manage")
def everybody_sees_and_goes_on_with_the_uploads_they_began(actor: Any) -> Q | None:
    return Q(owner=actor.pk)


@grants(FileAsset)
def those_who_answer_for_files_see_all_of_them(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, VIEW_ALL).everywhere else None


@grants(FileAsset, "manage")
def those_who_answer_for_files_manage_all_of_them(actor: Any) -> Q | None:
    return Q() if scopes_of(actor, MANAGE_ALL).everywhere else None


def whoever_sees_a_record_reads_its_files(model: type[Model]) -> None:
    """Grant sight of the files of the records of a model; by protected fields, to those who may know these."""

    def whoever_sees_the_record(actor: Any) -> Q | None:
        if not actor.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}"):
            return None
        rows = visible(model._default_manager.all(), actor)
        if rows.query.is_empty():
            return None
        links = _links_of(rows, model, protected=False)
        known = rows_known(model, actor)
        if known is not None:
            links |= _links_of(rows.filter(known), model, protected=True)
        return Q(pk__in=links.values("asset"), deleted_at=None)

    # Rules go by their names.
    whoever_sees_the_record.__name__ = f"whoever_sees_the_{model._meta.model_name}"
    grants(FileAsset)(whoever_sees_the_record)


def _links_of(rows: QuerySet[Any], model: type[Model], *, protected: bool) -> QuerySet[FileLink]:
    links = FileLink.objects.present().filter(custom_field__in=file_fields_of(model, protected=protected))
    # Sight of every record is no condition at all.
    return links.filter(object_id__in=rows.values("pk")) if rows.query.where else links


for customizable in customizable_models().values():
    whoever_sees_a_record_reads_its_files(customizable)
