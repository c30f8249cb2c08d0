"""The logs that only grow. None of them is ever changed, by nobody: triggers refuse it, and so do the rights of roles.

Each is a table partitioned by month. An entry names rows and people by their ids, not by foreign keys: it must outlast
them, and it stands below the apps whose rows it names. PostgreSQL numbers entries and stamps them with the transaction
that wrote them, which is what makes it possible to seal them in an order that nothing can slip into afterwards.
"""

from django.db import models
from django.db.models import Func, Value
from django.db.models.functions import Now

from core.db.json import PlainDecoder
from core.models import BaseQuerySet


class Entry(models.Model):
    """What every entry has: its number, its time, and where it comes from."""

    id = models.BigIntegerField(
        primary_key=True, db_default=Func(Value("audit_entry_id"), function="nextval"), editable=False
    )
    at = models.DateTimeField(db_default=Now())
    xact = models.BigIntegerField(
        db_default=Func(function="audit_xact", output_field=models.BigIntegerField()), editable=False
    )
    actor_id = models.UUIDField(null=True, help_text="The account that acted; empty for what nobody in person did.")
    request_id = models.CharField(max_length=128, db_default="", default="", blank=True)
    key_prefix = models.CharField(
        max_length=8,
        db_default="",
        default="",
        blank=True,
        help_text="The part after `chk_` of the API key that the account acted with, if it was one.",
    )

    class Meta:
        abstract = True


class Event(Entry):
    """Something that somebody did or tried, other than writing a row: a log-in, a refusal, a look at a secret."""

    action = models.CharField(max_length=64, help_text="What was done, such as `session.opened`.")
    actor_label = models.CharField(
        max_length=254, db_default="", default="", help_text="How the actor was called then."
    )
    on_behalf_of = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=64, db_default="", default="", help_text="The model, as `app.model`.")
    subject_id = models.CharField(max_length=64, db_default="", default="")
    reason = models.CharField(max_length=2000, db_default="", default="")
    address = models.GenericIPAddressField(null=True, help_text="Where the request came from.")
    detail = models.JSONField(default=dict, db_default=Value("{}"))

    objects = BaseQuerySet["Event"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["actor_id", "-id"], name="audit_event_actor"),
            models.Index(fields=["subject_id", "-id"], name="audit_event_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.action} #{self.pk}"


class Disclosure(Entry):
    """That somebody was shown a record of a person: one entry for each person and each answer that showed some of it.

    The record of disclosures that 34 CFR 99.32(a) asks for. People who look at their own records leave none, from
    which 99.32(d)(1) exempts them.
    """

    what = models.CharField(max_length=64, help_text="Which record, such as `student record`.")
    subject_id = models.UUIDField(help_text="The person whose record it is.")
    actor_label = models.CharField(
        max_length=254, db_default="", default="", help_text="How the actor was called then."
    )
    basis = models.CharField(max_length=254, help_text="By which permission, and as what.")
    route = models.CharField(max_length=254, db_default="", default="", help_text="Where it was shown.")
    address = models.GenericIPAddressField(null=True, help_text="Where the request came from.")

    objects = BaseQuerySet["Disclosure"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_id", "-id"], name="audit_disclosure_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.what} #{self.pk}"


class Seal(models.Model):
    """That the entries of a log up to a place are as they were: the last link of a chain of hashes over all of them.

    The place is in the order of transactions, (`last_xact`, `last_id`), beyond which nothing could come in before it
    any more when the seal was made. A restored database may count its transactions anew: `floor` is the number of the
    last entry from before.
    """

    log = models.CharField(max_length=32)
    sealed_at = models.DateTimeField(db_default=Now())
    floor = models.BigIntegerField(default=0)
    last_xact = models.BigIntegerField()
    last_id = models.BigIntegerField()
    entries = models.PositiveIntegerField(help_text="How many there are between the seal before and this one.")
    hash = models.CharField(max_length=64, help_text="SHA-256 over the hash before and each entry, in hexadecimal.")

    objects = BaseQuerySet["Seal"].as_manager()

    def __str__(self) -> str:
        return f"{self.log} {self.hash}"


class Redaction(Entry):
    """That personal values were erased from an entry: the digests of what it was at first, and of what it is since.

    The chain goes on with the first; the second shows whether somebody changed the entry afterwards. Redactions are
    a log that is sealed like the others, and the function that redacts is the only one that writes it.
    """

    log = models.CharField(max_length=32)
    entry_id = models.BigIntegerField()
    original = models.CharField(max_length=64, help_text="SHA-256 of the entry as it was written, in hexadecimal.")
    redacted = models.CharField(max_length=64, help_text="SHA-256 of the entry as it is since, in hexadecimal.")

    objects = BaseQuerySet["Redaction"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["entry_id"], name="audit_redaction_entry")]

    def __str__(self) -> str:
        return f"{self.log} #{self.entry_id}"


class Operation(models.TextChoices):
    INSERT = "insert", "Insert"
    UPDATE = "update", "Update"
    DELETE = "delete", "Delete"


class Change(Entry):
    """That a row was written, by whatever way: triggers put it here.

    `changes` has what an update changed and all that a deletion removed, as `{column: [before, after]}`; what was
    inserted is found in the row itself and in the first change of each column.
    """

    table_name = models.CharField(max_length=63)
    row_id = models.CharField(max_length=64)
    operation = models.CharField(max_length=6, choices=Operation)
    changes = models.JSONField(null=True, decoder=PlainDecoder)

    objects = BaseQuerySet["Change"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["row_id", "-id"], name="audit_change_row"),
            models.Index(fields=["actor_id", "-id"], name="audit_change_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} of {self.table_name} {self.row_id}"
