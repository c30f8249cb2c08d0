"""What the records say about people: where it stands, what a person is shown of it, and what erasure makes of it.

Each app declares its models in its `privacy.py`. Exports, erasure and retention follow these declarations and know no
table by name, so what is declared is dealt with; `faults` finds what nobody has declared.
"""

from core.privacy.erasing import erase
from core.privacy.registry import (
    FreeText,
    Impersonal,
    Personal,
    Subject,
    declared,
    erasures,
    faults,
    free_texts,
    impersonal,
    may_name_people,
    name_people,
    obstacles_to,
    on_erasure,
    paths_to_people,
    people_of,
    personal,
    stands_in_the_way,
)
from core.privacy.rows import as_plain, columns_of, gather, in_steps, name_of

__all__ = [
    "FreeText",
    "Impersonal",
    "Personal",
    "Subject",
    "as_plain",
    "columns_of",
    "declared",
    "erase",
    "erasures",
    "faults",
    "free_texts",
    "gather",
    "impersonal",
    "in_steps",
    "may_name_people",
    "name_of",
    "name_people",
    "obstacles_to",
    "on_erasure",
    "paths_to_people",
    "people_of",
    "personal",
    "stands_in_the_way",
]
