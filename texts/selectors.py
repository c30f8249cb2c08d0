"""What others ask about texts: where in a corpus a text stands already, how it reads, and what it is about."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from texts.analysis.comparing import Comparison, Text, compare
from texts.analysis.keywords import Background, Keyword, keywords
from texts.analysis.normal import Span, normalised
from texts.analysis.parts import quotations, references
from texts.analysis.readability import Readability, readability
from texts.analysis.style import Hint, hints
from texts.models import Document

# A fingerprint that more texts have than this is of a form, a task or a phrase, and leads nowhere.
COMMONPLACE = 200
# So many documents are compared whole, those first that share most.
COMPARED = 5
# So many texts, the latest of the corpora, say which words are usual there.
BESIDE = 40

# The inner LIMIT bounds the work whatever the texts have in common.
_CANDIDATES = """
    WITH hits AS MATERIALIZED (
        SELECT found.documents
        FROM unnest(%(hashes)s::bigint[]) AS asked (hash)
        CROSS JOIN LATERAL (
            SELECT array_agg(document_id) AS documents
            FROM (
                SELECT document_id FROM texts_fingerprint
                WHERE texts_fingerprint.hash = asked.hash
                LIMIT %(commonplace)s + 1
            ) AS few
        ) AS found
        WHERE found.documents IS NOT NULL
    ), shared AS (
        SELECT document_id, count(*) AS marks
        FROM hits CROSS JOIN LATERAL unnest(documents) AS document_id
        WHERE cardinality(documents) <= %(commonplace)s
        GROUP BY document_id
    )
    SELECT (SELECT count(*) FROM hits WHERE cardinality(documents) > %(commonplace)s), ARRAY(
        SELECT document.id
        FROM shared JOIN texts_document document ON document.id = document_id
        WHERE corpus = ANY (%(corpora)s) AND NOT authors && %(authors)s::uuid[] AND owner <> ALL (%(owners)s::uuid[])
        ORDER BY marks DESC, document.id
        LIMIT %(most)s
    )
"""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A text of a corpus in which some of another one stands, and what of it."""

    corpus: str
    owner: UUID
    authors: tuple[UUID, ...]
    comparison: Comparison


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """Where a text stands already: the sources, the one with the highest score first.

    `commonplace` is the share of its fingerprints, 0 to 1, that too many texts have for any to be looked for by them;
    `left_out` are the ranges of characters that were not compared.
    """

    sources: tuple[Source, ...]
    commonplace: float
    left_out: tuple[Span, ...]

    @property
    def score(self) -> float:
        """How much of the text stands in the source that has most of it, 0 to 1."""
        return max((source.comparison.score for source in self.sources), default=0.0)


def similarity(
    text: str,
    *,
    corpora: Collection[str],
    authors: Collection[UUID] = (),
    owners: Collection[UUID] = (),
    without_quotations: bool = False,
    without_references: bool = False,
    most: int = COMPARED,
) -> Similarity:
    """Say where in the corpora a text stands already, of at most `most` sources.

    Texts of its `authors`, earlier drafts for instance, and of the records `owners` are none.
    """
    left_out = (quotations(text) if without_quotations else []) + (references(text) if without_references else [])
    asked = Text(text, leaving_out=left_out)
    hashes = asked.hashes
    facts: dict[str, Any] = {
        "hashes": hashes, "corpora": list(corpora), "authors": list(authors), "owners": list(owners), "most": most,
        "commonplace": COMMONPLACE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES, facts)
        commonplace, found = cursor.fetchone()
    sources = [_source(asked, document) for document in Document.objects.filter(pk__in=found).defer("hashes")]
    telling = [source for source in sources if source.comparison.passages or source.comparison.reworded]
    return Similarity(
        sources=tuple(sorted(telling, key=lambda each: (-each.comparison.score, each.corpus, each.owner))),
        commonplace=commonplace / len(hashes) if hashes else 0.0,
        left_out=tuple(sorted(left_out)),
    )


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """How a text reads, what its writer may want to look at again, and what it is about."""

    readability: Readability
    hints: tuple[Hint, ...]
    keywords: tuple[Keyword, ...]


def analysis(text: str, *, corpora: Collection[str] = ()) -> Analysis:
    """Say how a text reads and what it is about, beside the latest texts of the corpora."""
    normal = normalised(text)
    latest = Document.objects.filter(corpus__in=corpora).order_by("-created_at", "pk")
    background = Background(latest.values_list("text", flat=True)[:BESIDE] if corpora else ())
    return Analysis(
        readability=readability(normal),
        hints=tuple(hints(text, normal)),
        keywords=tuple(keywords(text, background, normal)),
    )


def _source(asked: Text, document: Document) -> Source:
    return Source(
        corpus=document.corpus,
        owner=document.owner,
        authors=tuple(document.authors),
        comparison=compare(asked, Text(document.text)),
    )
