"""Searching rows by words: as prefixes through full text, and by resemblance when that finds nothing.

A model that can be searched has a column made by `search_text`, the two indexes of `search_indexes`
and names in `search_paths` where its words are: its own column, or that of a row it refers to
(`("search_text", "person__search_text")`). Values of searchable custom fields are searched, too.
Whoever may search finds out what the column holds, letter by letter: it holds nothing that they are
not shown. A row of which some are shown less has another column for them.

Every word of a search must begin a word in one of these sources. When no row does, rows whose text
resembles the whole search are found (`pg_trgm` word similarity), so that a typing error still leads
somewhere. Both are one query. The sources are joined by UNION ALL of `IN` subqueries because each
of them then uses its own index; an OR over joins uses none.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.contrib.postgres.search import SearchQueryField, SearchVectorField
from django.core.exceptions import ImproperlyConfigured
from django.db.models import (
    BooleanField,
    F,
    Func,
    GeneratedField,
    Index,
    Model,
    Q,
    QuerySet,
    Subquery,
    TextField,
    UUIDField,
    Value,
)
from django.db.models.constants import LOOKUP_SEP
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from core.db.indexes import NamedGinIndex
from core.errors import InvalidError
from core.models import CustomizableModel

ModelT = TypeVar("ModelT", bound=Model)

MAX_WORDS = 10
MAX_WORD_LENGTH = 64
# A search text is read up to here; what follows could only repeat the limits above.
MAX_TEXT_LENGTH = 2_000
# How much a text must resemble the search (0..1). PostgreSQL's own 0.6 would not lead from "jonson"
# to "Johnson" (0.5) nor from "jonh" to "John" (0.4).
SIMILARITY = 0.4


class SearchTooLongError(InvalidError):
    """More is searched for than is looked at."""

    code = "search_too_long"
    title = f"A search has at most {MAX_WORDS} words of at most {MAX_WORD_LENGTH} characters."
    field = "search"


class Words(Func):
    """A text as searching sees it: folded, composed, its ASCII punctuation blank, at most 100,000 characters.

    PostgreSQL's parser would take `ada@uni.edu`, `CS-101` and `a/b` for an address, a negative number
    and a path, and would not find their parts. Migrations contain this class: what it renders to is
    part of every table's definition.
    """

    template = "LEFT(REGEXP_REPLACE(core_fold(NORMALIZE(%(expressions)s, NFKC)), '[!-/:-@[-`{-~]', ' ', 'g'), 100000)"
    arg_joiner = " || ' ' || "
    output_field = TextField()


class JsonValues(Func):
    """The values of a JSON object as one text, without its keys.

    Escapes are replaced by blanks: they would stick to the word that follows them.
    """

    template = r"REGEXP_REPLACE(jsonb_path_query_array(%(expressions)s, '$.*')::text, '\\(u[0-9a-f]{4}|.)', ' ', 'g')"
    output_field = TextField()


class Document(Func):
    """The lexemes of a text."""

    template = "to_tsvector('simple', %(expressions)s)"
    output_field = SearchVectorField()


class Prefixes(Func):
    """The full-text query that every word of a text begins a word; NULL when folding leaves no word."""

    template = "to_tsquery('simple', REGEXP_REPLACE(NULLIF(BTRIM(%(expressions)s), ''), ' +', ':* & ', 'g') || ':*')"
    output_field = SearchQueryField()


class Matches(Func):
    """Whether a document matches a full-text query."""

    template = "(%(expressions)s)"
    arg_joiner = " @@ "
    output_field = BooleanField()


class Resembles(Func):
    """Whether part of the first text resembles the second; how much is set by `WordsOrResemblance`."""

    template = "(%(expressions)s)"
    arg_joiner = " %%> "
    output_field = BooleanField()


class InAll(Func):
    """The rows that every subquery has, each of which is run once.

    One IN inside another would be planned for far fewer rows than a short word finds, and ten of them
    would never end. OFFSET 0 hides from the planner that no row comes twice: expecting thousands, it
    would read the whole table that they are looked up in.
    """

    template = "(SELECT id FROM (%(expressions)s) AS common (id) OFFSET 0)"
    arg_joiner = " INTERSECT "
    output_field = UUIDField()


class WordsOrResemblance(Func):
    """The rows of the first subquery, or of the second if the first has none.

    The first is computed once, which also keeps the planner from guessing that a row will turn up
    soon and looking for it one by one. The second compares by an operator that reads its threshold
    from a setting; it is set for the transaction by a condition that PostgreSQL evaluates once and
    before the second subquery, so that nothing outlives the transaction and a connection that is
    shared through a pooler stays as it was.
    """

    template = (
        "(WITH found (id) AS MATERIALIZED %(expressions)s AS others (id) WHERE NOT EXISTS (SELECT FROM found)"
        # The threshold is a constant of this module.
        f" AND (SELECT set_config('pg_trgm.word_similarity_threshold', '{SIMILARITY}', true))"  # nosec B608
        " IS NOT NULL)"
    )
    arg_joiner = " SELECT id FROM found UNION ALL SELECT id FROM "
    output_field = UUIDField()


def search_text(*columns: str | Combinable) -> GeneratedField:
    """Return the column that holds the words of the named text columns, or of expressions; each may be null."""
    texts = [F(column) if isinstance(column, str) else column for column in columns]
    text = Words(*(Coalesce(text, Value("")) for text in texts))
    return GeneratedField(expression=text, output_field=TextField(), db_persist=True)


def search_indexes(prefix: str, *, column: str = "search_text", custom_fields: bool = False) -> list[Index]:
    """Return the indexes that searching a column of a model needs, named `<prefix>_words` and so on.

    With `custom_fields`, which a customizable model sets, one more for the values of those.
    """
    indexes: list[Index] = [
        NamedGinIndex(Document(F(column)), name=f"{prefix}_words"),
        NamedGinIndex(fields=[column], opclasses=["gin_trgm_ops"], name=f"{prefix}_trigrams"),
    ]
    if custom_fields:
        indexes.append(NamedGinIndex(_custom_document(), name=f"{prefix}_custom_words"))
    return indexes


def _custom_document() -> Document:
    return Document(Words(JsonValues(F("custom_data"))))


def words_of(text: str) -> list[str]:
    """Return the words a search text consists of: at most 10 of at most 64 characters, nothing but letters and digits.

    Combining marks belong to the letter before them, which matters in Indic scripts. What consists of
    modifier letters or of signs such as \N{DINGBAT NEGATIVE CIRCLED DIGIT ONE} is no word to PostgreSQL's parser.
    """
    return [word[:MAX_WORD_LENGTH] for word in _words(text[:MAX_TEXT_LENGTH])[:MAX_WORDS]]


def _words(text: str) -> list[str]:
    text = unicodedata.normalize("NFKC", text)
    kept = "".join(character if unicodedata.category(character)[0] in "LMN" else " " for character in text)
    return [word for word in kept.split() if any(map(_makes_a_word, word))]


def refusal_of(text: str) -> InvalidError | None:
    """Return why a search text is more than is looked for, or None."""
    words = _words(text) if len(text) <= MAX_TEXT_LENGTH else None
    if words is None or len(words) > MAX_WORDS or any(len(word) > MAX_WORD_LENGTH for word in words):
        return SearchTooLongError()
    return None


def _makes_a_word(character: str) -> bool:
    return unicodedata.category(character) in {"Lu", "Ll", "Lt", "Lo", "Nd", "Nl"}


def search(queryset: QuerySet[ModelT], text: str, custom: Mapping[str, Q] | None = None) -> QuerySet[ModelT]:
    """Narrow `queryset` to the rows that `text` finds, in one query.

    A blank text finds everything, a text without a letter or digit nothing. Resemblance is tried when
    no row *of this queryset* has the words, so the answer tells nothing about rows outside of it.
    `custom` names the searchable custom fields, and the rows in which each is looked into; else one query more
    asks for those that are not protected.
    """
    if not text.strip():
        return queryset
    words = words_of(text)
    if not words:
        return queryset.none()
    model = queryset.model
    exact = _with_words(model, words, _custom(model) if custom is None else custom)
    whole = Words(Value(" ".join(words)))
    resembling = _union([_rows(model, path, lambda column: Resembles(column, whole)) for path in _paths(model)])
    exact_in_queryset = queryset.order_by().filter(pk__in=exact).values("pk")
    return queryset.filter(pk__in=WordsOrResemblance(Subquery(exact_in_queryset), Subquery(resembling)))


def _with_words(model: type[Model], words: Sequence[str], custom: Mapping[str, Q]) -> QuerySet[Any, Any] | Func:
    """Return the keys of the rows in whose sources every word begins a word; a key may come twice."""
    paths = _paths(model)
    # One full-text query can hold all words if there is one source; else each word may be in another.
    if len(paths) == 1 and not custom:
        return _with_phrase(model, " ".join(words), paths, custom)
    found = [_with_phrase(model, word, paths, custom) for word in _needed(words)]
    return InAll(*[Subquery(rows) for rows in found]) if len(found) > 1 else found[0]


def _needed(words: Sequence[str]) -> list[str]:
    """Return the words without those that begin another one, and so are found wherever it is."""
    longest_first = sorted(set(words), key=lambda word: (-len(word), word))
    needed: list[str] = []
    for word in longest_first:
        if not any(other.startswith(word) for other in needed):
            needed.append(word)
    return needed


def _with_phrase(model: type[Model], phrase: str, paths: Sequence[str], custom: Mapping[str, Q]) -> QuerySet[Any, Any]:
    query = Prefixes(Words(Value(phrase)))
    found = [_rows(model, path, lambda column: Matches(Document(column), query)) for path in paths]
    if custom:
        found.append(_rows_by_custom_fields(model, custom, query))
    return _union(found)


def _rows(model: type[Model], path: str, condition: Callable[[F], Func]) -> QuerySet[Any, Any]:
    """Return the keys of the rows of which the text column at the end of `path` satisfies `condition`."""
    step, _, rest = path.partition(LOOKUP_SEP)
    if not rest:
        return model._base_manager.filter(condition(F(step))).values("pk")
    related = model._meta.get_field(step).related_model
    if not isinstance(related, type):
        raise ImproperlyConfigured(f"{model.__name__}.search_paths: {step} is no foreign key")
    return model._base_manager.filter(**{f"{step}__in": _rows(related, rest, condition)}).values("pk")


def _rows_by_custom_fields(model: type[Model], custom: Mapping[str, Q], query: Prefixes) -> QuerySet[Any, Any]:
    # The index holds the values of all custom fields together; the searchable ones decide.
    values = [
        Q(Matches(Document(Words(KeyTextTransform(name, "custom_data"))), query)) & rows
        for name, rows in custom.items()
    ]
    return model._base_manager.filter(reduce(or_, values), Matches(_custom_document(), query)).values("pk")


def _paths(model: type[Model]) -> Sequence[str]:
    paths: Sequence[str] = getattr(model, "search_paths", ())
    if not paths:
        raise ImproperlyConfigured(f"{model.__name__} names no search_paths")
    return paths


def _custom(model: type[Model]) -> Mapping[str, Q]:
    # Imported late: models name their search columns while the registry that definitions need is still loading.
    from core.customfields import searchable

    return searchable(model) if issubclass(model, CustomizableModel) else {}


def _union(querysets: Iterable[QuerySet[Any, Any]]) -> QuerySet[Any, Any]:
    first, *rest = querysets
    return first.union(*rest, all=True) if rest else first
