"""Why a custom field, or a value for one, is refused."""

from core.errors import ConflictError, InvalidError

# --- values ---


class RequiredError(InvalidError):
    """A required field is missing or was emptied."""

    code = "required"
    title = "This field is required."


class UnknownCustomFieldError(InvalidError):
    """No active definition has this name."""

    code = "unknown_custom_field"
    title = "This kind of record has no such custom field."


class ArchivedCustomFieldError(InvalidError):
    """An archived definition keeps its values and takes no others."""

    code = "custom_field_archived"
    title = "This custom field is archived and takes no values."


class WrongTypeError(InvalidError):
    """The JSON type of a value is not the one its field takes."""

    code = "wrong_type"
    title = "The value has the wrong type."


class InvalidFormatError(InvalidError):
    """A text does not read as what the field holds."""

    code = "invalid_format"
    title = "The value cannot be read."


class UnstorableTextError(InvalidError):
    """The text holds a character that PostgreSQL cannot store."""

    code = "invalid_text"
    title = "The text contains a NUL character or an unpaired surrogate."


class PatternMismatchError(InvalidError):
    """The text does not match the field's expression."""

    code = "pattern_mismatch"
    title = "The value does not have the required form."


class BelowMinimumError(InvalidError):
    """The value is less, earlier or shorter than the field allows."""

    code = "below_minimum"
    title = "The value is below the minimum."


class AboveMaximumError(InvalidError):
    """The value is greater, later or longer than the field allows."""

    code = "above_maximum"
    title = "The value is above the maximum."


class InvalidChoiceError(InvalidError):
    """The value is not among the choices."""

    code = "invalid_choice"
    title = "The value is not one of the choices."


class DuplicateChoiceError(InvalidError):
    """The same choice was made twice."""

    code = "duplicate_choice"
    title = "A choice may be made once."


class FileUnavailableError(InvalidError):
    """The value names no file that a record may refer to."""

    code = "file_unavailable"
    title = "There is no such file."


class CustomValueTakenError(ConflictError):
    """Another record holds the value of a field whose values are unique."""

    code = "custom_value_taken"
    title = "Another record already has this value."


class CustomFieldsChangingError(ConflictError):
    """The definitions of this kind of record are being rebuilt; the same request will work shortly."""

    code = "custom_fields_changing"
    title = "The custom fields of this kind of record are being changed; try again shortly."


# --- definitions ---


class UnknownEntityTypeError(InvalidError):
    """The kind of record does not exist or takes no custom fields."""

    code = "unknown_entity_type"
    title = "No such kind of record takes custom fields."


class InvalidNameError(InvalidError):
    """The name is not a slug."""

    code = "invalid_name"
    title = "A name starts with a letter and has lower-case letters, digits and single underscores."


class InvalidChoicesError(InvalidError):
    """The choices are not a list of distinct values with labels."""

    code = "invalid_choices"
    title = 'Choices are a list of distinct texts or of {"value", "label"}.'


class ChoicesRequiredError(InvalidError):
    """A selection without choices."""

    code = "choices_required"
    title = "A selection needs choices."


class InvalidRegexError(InvalidError):
    """RE2 does not accept the expression."""

    code = "invalid_regex"
    title = "The expression is not valid RE2 syntax."


class BoundsReversedError(InvalidError):
    """A lower bound above the upper one."""

    code = "bounds_reversed"
    title = "The lower bound is above the upper."


class NotApplicableError(InvalidError):
    """An option that has no meaning for the type."""

    code = "not_applicable"
    title = "This option does not apply to fields of this type."


class ImmutableError(InvalidError):
    """A part of a definition that is fixed when it is created."""

    code = "immutable"
    title = "This cannot be changed."


class DuplicateValuesError(ConflictError):
    """Values were to become unique that are not."""

    code = "duplicate_values"
    title = "Several records have the same value."
