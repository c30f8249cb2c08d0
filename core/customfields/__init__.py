"""Fields that an institution defines for itself: definitions, values, filters and forms.

What other modules use stands here; the services that change definitions are in
`core.customfields.services`.
"""

from core.customfields.files import (
    appoint_file_keeper,
    choose_files_by,
    register_file_resolver,
    unregister_file_resolver,
)
from core.customfields.filters import filtered
from core.customfields.locks import hold
from core.customfields.protection import searchable
from core.customfields.selectors import customizable_models, definitions_of
from core.customfields.unique import apply_unique, apply_unique_many, release_unique
from core.customfields.values import defaults_of, represent, validated

__all__ = [
    "apply_unique",
    "apply_unique_many",
    "appoint_file_keeper",
    "choose_files_by",
    "customizable_models",
    "defaults_of",
    "definitions_of",
    "filtered",
    "hold",
    "register_file_resolver",
    "release_unique",
    "represent",
    "searchable",
    "unregister_file_resolver",
    "validated",
]
