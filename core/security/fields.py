"""Columns whose values only the application can read, and columns by which equal ones are found all the same.

`EncryptedTextField` keeps text encrypted, bound to its table, column and row: a ciphertext copied elsewhere does not
decrypt. A row that was read holds the ciphertext; using the attribute decrypts it. No query can compare, search or
compute with the column. `BlindIndexField` beside it holds a keyed hash of the value, which answers whether two
are equal and nothing else.
"""

import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from core.security.encryption import decrypt, encrypt

if TYPE_CHECKING:
    _CharField = models.CharField[Any, Any]
    _BinaryField = models.BinaryField[Any, Any]
else:
    _CharField, _BinaryField = models.CharField, models.BinaryField

Normaliser = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext as it stands in the database. Its text shows nothing, wherever it may be printed."""

    ciphertext: bytes = field(repr=False)


def context_of(table: str, column: str, row_id: object) -> bytes:
    """Return the context that a value in a cell of a table is encrypted for."""
    return f"{table}.{column}:{row_id}".encode()


class _DecryptingAttribute(DeferredAttribute):
    """Decrypts when the attribute is used, and keeps what was loaded or assigned as it is."""

    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            return self.field.opened(value, instance)
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(_CharField):
    """Text that the database holds encrypted, in a column of bytes.

    The row must know its primary key before it is written, as rows with generated ids do. Saving rows and creating
    many at once encrypts; `QuerySet.update` and `bulk_update`, which do not know whose value they write, are refused.
    A renamed table or column needs its values encrypted anew, since both names are part of what they are bound to.
    """

    description = "Text, encrypted"
    descriptor_class = _DecryptingAttribute

    def get_internal_type(self) -> str:
        return "BinaryField"

    def context(self, instance: models.Model) -> bytes:
        """Return what the value of a row is bound to."""
        if instance.pk is None:
            raise TypeError(f"{self} cannot be encrypted before its row has a primary key")
        return context_of(self.model._meta.db_table, str(self.column), instance.pk)

    def sealed(self, plaintext: str, instance: models.Model) -> Sealed:
        """Return `plaintext` encrypted for the row of `instance`."""
        return Sealed(encrypt(plaintext.encode(), context=self.context(instance)))

    def opened(self, sealed: Sealed, instance: models.Model) -> str:
        """Return the text; raise `DecryptionError` when it was not encrypted for the row of `instance`."""
        return decrypt(sealed.ciphertext, context=self.context(instance)).decode()

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if isinstance(value, Sealed):
            if add:  # a copy of another row would take along what nobody could read in its new place
                self.opened(value, model_instance)
            return value
        if value is None:
            return None
        if not isinstance(value, str):
            raise TypeError(f"{self} holds text, not {type(value).__name__}")
        model_instance.__dict__[self.attname] = sealed = self.sealed(value, model_instance)
        return sealed

    def from_db_value(self, value: bytes | None, expression: Any, connection: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def get_prep_value(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> bytes | None:
        if value is None:
            return None
        if isinstance(value, Sealed):
            return value.ciphertext
        raise TypeError(f"{self} is encrypted for its row alone: save the row instead of naming a value in a query")

    def get_db_prep_save(self, value: Any, connection: Any) -> bytes | None:
        return self.get_db_prep_value(value, connection)

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse every comparison, since equal values look different; whether there is one may be asked."""
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> Any:
        return None

    def value_to_string(self, obj: models.Model) -> str:
        raise TypeError(f"{self} leaves the database in no dump: exclude {self.model._meta.label}")


def normalised(text: str) -> str:
    """Return a value without what people write differently: case, spaces, punctuation, forms of Unicode."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(character for character in folded if character.isalnum())


class BlindIndexField(_BinaryField):
    """The keyed hash (HMAC-SHA256) of the normalised text in the encrypted field called `of`.

    Equal texts have equal hashes, so they can be found and kept unique; without `BLIND_INDEX_KEY` nobody can try
    guesses. The table and column are hashed along: two tables cannot be compared. Filter by the text itself:
    `filter(value_index="AB 123")`.
    """

    lookups: ClassVar = frozenset({"exact", "in", "isnull"})

    def __init__(self, *args: Any, of: str, normalise: Normaliser = normalised, **options: Any) -> None:
        self.of = of
        self.normalise = normalise
        options |= {"max_length": 32, "editable": False, "blank": True}  # nobody enters it
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        for name_of_option in ("max_length", "blank"):
            del options[name_of_option]
        options["of"] = self.of
        if self.normalise is not normalised:
            options["normalise"] = self.normalise
        return name, path, args, options

    def hashed(self, text: str) -> bytes:
        """Return the hash of `text`, whichever way it is written."""
        place = f"{self.model._meta.db_table}.{self.column}:"
        return hmac.digest(settings.BLIND_INDEX_KEY, (place + self.normalise(text)).encode(), "sha256")

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes | None:
        text = getattr(model_instance, self.of)
        value = None if text is None else self.hashed(text)
        setattr(model_instance, self.attname, value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        return self.hashed(value) if isinstance(value, str) else super().get_prep_value(value)

    def get_lookup(self, lookup_name: str) -> Any:
        """Refuse what a hash cannot answer."""
        return super().get_lookup(lookup_name) if lookup_name in self.lookups else None

    def get_transform(self, lookup_name: str) -> Any:
        return None
