"""What texts say about people."""

from django.db.models import Q

from core.privacy import on_erasure, personal
from core.privacy.retention import keep_for
from texts import services
from texts.models import Document

personal(
    Document,
    says="The texts that you handed in, with which those of others are compared.",
    kept="Five years; erasure removes those that you wrote alone, and your name from the others.",
    finds=lambda subject: Q(authors__overlap=list(subject.people)),
    keeps="corpus owner authors text",
    withholds={"hashes": "Numbers that are worked out of the text, by which it is found."},
)
on_erasure("texts.Document", services.forget_authors)

keep_for(
    "texts.Document",
    kept=lambda: services.KEPT,
    basis="Who copies does so from the years before; after five, hardly anybody who wrote them is still here.",
    due=lambda at: services.documents_due(at).count(),
    apply=services.purge_documents,
)
