"""Texts that others are compared with.

A text belongs to a record of some app, its `owner`, and stands in a corpus that this app has named. Of all texts the
database keeps an inverted index, `texts_fingerprint`: of each hash, which texts have it. Triggers derive it from
`hashes`, so that it is what they say whoever writes. It has no model, since nothing but the search reads it.
"""

from collections.abc import Collection
from typing import Self
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from core.models import BaseQuerySet, TimeStampedUUIDModel

LONGEST_CORPUS = 100


class DocumentQuerySet(BaseQuerySet["Document"]):
    def by(self, people: Collection[UUID]) -> Self:
        """Those that any of these people wrote."""
        return self.filter(authors__overlap=list(people))


class Document(TimeStampedUUIDModel):
    """A text as it was handed in or uploaded, with the fingerprints by which it is found; it changes as a whole."""

    corpus = models.CharField(
        max_length=LONGEST_CORPUS, help_text="What it is one of, as `projects.submissions`: the app and its own word."
    )
    owner = models.UUIDField(help_text="The record that it belongs to.")
    authors = ArrayField(
        models.UUIDField(), default=list, blank=True, help_text="The people who wrote it; none of a published source."
    )
    text = models.TextField()
    hashes = ArrayField(
        models.BigIntegerField(), default=list, blank=True, editable=False, help_text="Its fingerprints, each once."
    )

    objects = DocumentQuerySet.as_manager()

    class Meta:
        verbose_name = "text"
        indexes = (
            GinIndex(fields=["authors"], name="texts_document_by_author"),
            models.Index(fields=["created_at"], name="texts_document_by_age"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=["corpus", "owner"],
                name="texts_document_one_of_each",
                violation_error_code="conflict",
                violation_error_message="A record has one text in a corpus.",
            ),
            models.CheckConstraint(
                condition=~Q(corpus=""),
                name="texts_document_in_a_corpus",
                violation_error_code="invalid",
                violation_error_message="A text is one of a corpus.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.owner} in {self.corpus}"
