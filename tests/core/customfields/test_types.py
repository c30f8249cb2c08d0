"""What each of the eleven types accepts, in which form it is kept, and that nothing else comes of any input."""

from decimal import Decimal
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.customfields import files
from core.customfields.files import register_file_resolver, unregister_file_resolver
from core.customfields.rules import check
from core.customfields.types import parsed, read
from core.db.json import ExactDecoder, ExactEncoder
from core.errors import InvalidError
from core.models import CustomFieldType
from tests.core.customfields.factories import choices, definition

FILE_ID = "01932c07-9f6c-7c3e-9d0e-2f5f0a6f5e11"


@pytest.fixture(autouse=True)
def _no_app_has_files(monkeypatch):
    monkeypatch.setattr(files, "_resolvers", [])


@pytest.fixture
def _a_file():
    resolver = register_file_resolver(lambda file_id, actor: file_id == UUID(FILE_ID))
    yield
    unregister_file_resolver(resolver)


@pytest.mark.parametrize(
    ("field_type", "given", "kept"),
    [
        ("text", "  O'Brien नमस्ते 🎓 ", "  O'Brien नमस्ते 🎓 "),
        ("text", "", None),
        ("textarea", "one\r\ntwo", "one\r\ntwo"),
        ("number", "3.50", Decimal("3.5")),
        ("number", 3.5, Decimal("3.5")),
        ("number", 100, Decimal(100)),
        ("number", "-0.00", Decimal(0)),
        ("number", "12345678901234567890.0123456789", Decimal("12345678901234567890.0123456789")),
        ("number", 1e-5, Decimal("0.00001")),
        ("date", "2024-02-29", "2024-02-29"),
        ("email", "Ada.Lovelace@Example.EDU", "ada.lovelace@example.edu"),
        ("phone", "+91 (98765) 432-10", "+919876543210"),
        ("phone", "040.2345/678", "0402345678"),
        ("url", "https://example.edu/a?b=c#d", "https://example.edu/a?b=c#d"),
        ("select", "a", "a"),
        ("multiselect", ["c", "a"], ["a", "c"]),
        ("multiselect", [], None),
        ("boolean", False, False),
        ("file", FILE_ID.upper(), FILE_ID),
        ("boolean", None, None),
    ],
)
def test_a_value_is_kept_in_its_canonical_form(field_type, given, kept):
    field = definition(field_type, choices=choices("a", "b", "c"))

    assert parsed(field, given) == kept


@pytest.mark.parametrize(
    ("field_type", "refused", "code"),
    [
        ("text", 1, "wrong_type"),
        ("text", "one\ntwo", "invalid_format"),
        ("text", "nul\x00", "invalid_text"),
        ("text", "\ud800", "invalid_text"),
        ("text", "x" * 1_001, "above_maximum"),
        ("textarea", "x" * 10_001, "above_maximum"),
        ("number", True, "wrong_type"),
        ("number", [1], "wrong_type"),
        ("number", "1e5", "invalid_format"),
        ("number", "٣", "invalid_format"),
        ("number", float("nan"), "invalid_format"),
        ("number", float("-inf"), "invalid_format"),
        pytest.param("number", 10**5000, "invalid_format", id="number-of-5001-digits"),
        ("number", Decimal("1e-999999"), "invalid_format"),
        ("number", Decimal("sNaN"), "invalid_format"),
        ("number", 0.1 + 0.2, "invalid_format"),
        ("date", "2023-02-29", "invalid_format"),
        ("date", "20240101", "invalid_format"),
        ("date", 20240101, "wrong_type"),
        ("email", "nobody", "invalid_format"),
        ("email", "a" * 250 + "@b.edu", "above_maximum"),
        ("phone", "+1", "invalid_format"),
        ("phone", "call me", "invalid_format"),
        ("url", "javascript:alert(1)", "invalid_format"),
        ("url", "ftp://example.edu", "invalid_format"),
        ("select", 1, "wrong_type"),
        ("select", "\ud800", "invalid_text"),
        ("multiselect", "a", "wrong_type"),
        pytest.param("multiselect", ["a"] * 501, "above_maximum", id="multiselect-of-501"),
        ("multiselect", ["a", "a"], "duplicate_choice"),
        ("multiselect", [["a"]], "wrong_type"),
        ("boolean", "true", "wrong_type"),
        ("boolean", 1, "wrong_type"),
        ("file", "nothing", "invalid_format"),
        ("file", {}, "wrong_type"),
    ],
)
def test_what_is_no_value_of_the_type_is_refused(field_type, refused, code):
    field = definition(field_type, choices=choices("a", "b", "c"))

    with pytest.raises(InvalidError) as refusal:
        parsed(field, refused)

    assert refusal.value.error_code == code


@pytest.mark.parametrize(
    ("field_type", "options", "value", "code"),
    [
        ("text", {"min_value": 3}, "ab", "below_minimum"),
        ("text", {"max_value": 3}, "abcd", "above_maximum"),
        ("textarea", {"max_value": 3}, "abcd", "above_maximum"),
        ("number", {"min_value": Decimal("0.5")}, Decimal("0.49"), "below_minimum"),
        ("number", {"max_value": Decimal("0.5")}, Decimal("0.51"), "above_maximum"),
        ("date", {"min_date": "2024-01-02"}, "2024-01-01", "below_minimum"),
        ("date", {"max_date": "2024-01-01"}, "2024-01-02", "above_maximum"),
        ("text", {"validation_regex": "[A-Z]{2}"}, "ABC", "pattern_mismatch"),
        ("phone", {"validation_regex": r"\+91\d+"}, "+449876543", "pattern_mismatch"),
        ("select", {"choices": choices("a")}, "b", "invalid_choice"),
        ("multiselect", {"choices": choices("a")}, ["a", "b"], "invalid_choice"),
        ("file", {}, FILE_ID, "file_unavailable"),
    ],
)
def test_a_value_that_disobeys_its_definition_is_refused(field_type, options, value, code):
    with pytest.raises(InvalidError) as refusal:
        check(definition(field_type, **options), value)

    assert refusal.value.error_code == code


@pytest.mark.usefixtures("_a_file")
def test_a_file_that_a_resolver_knows_is_accepted():
    check(definition("file"), FILE_ID)


def test_an_expression_that_would_hang_a_backtracking_engine_answers():
    field = definition("textarea", validation_regex="(a+)+$")

    with pytest.raises(InvalidError):
        check(field, "a" * 9_999 + "!")


@pytest.mark.parametrize(
    ("field_type", "written", "value"),
    [
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", "perhaps", "perhaps"),
        ("multiselect", "a; b ;", ["a", "b"]),
        ("number", "3.5", "3.5"),
    ],
)
def test_a_text_is_read_as_the_value_it_stands_for(field_type, written, value):
    assert read(definition(field_type), written) == value


any_text = st.text(st.characters(exclude_categories=()))
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(any_text, inner, max_size=4),
    max_leaves=6,
)
plausible = (
    st.emails()
    | st.dates().map(str)
    | st.uuids().map(str)
    | st.from_regex(r"\A[+-]?[0-9]{1,22}(\.[0-9]{1,12})?\Z")
    | st.from_regex(r"\Ahttps?://[a-z\[\]:/@.?#0-9]{1,30}\Z")
    | st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=5)
)


@pytest.mark.parametrize("field_type", CustomFieldType.values)
@given(value=any_json | plausible)
def test_any_json_becomes_a_canonical_value_that_survives_storage_or_is_refused(field_type, value):
    field = definition(field_type, choices=choices("a", "b", "c"), validation_regex="[a-z@.]*")

    try:
        kept = parsed(field, value)
        if kept is not None:
            check(field, kept)
    except InvalidError:
        return

    stored = ExactEncoder().encode({"value": kept})
    assert ExactDecoder().decode(stored)["value"] == kept
    assert parsed(field, kept) == kept
    assert orjson.loads(stored) is not None


@given(value=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**19), max_value=10**19, places=10))
def test_a_number_is_stored_digit_for_digit(value):
    kept = parsed(definition("number"), value)

    assert ExactDecoder().decode(ExactEncoder().encode(kept)) == value
