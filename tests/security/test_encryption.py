"""Encryption at rest: what comes back, what is refused, and how keys follow each other."""

import base64
import os

import pytest
from django.conf import settings as current
from hypothesis import given
from hypothesis import strategies as st

from core.security.encryption import DecryptionError, decrypt, derive, encrypt, key_id_of
from core.security.keys import UnusableKeyError, is_guessable, read_key, read_key_ring

HERE = b"accounts_personidentifier\0value\0one"
ELSEWHERE = b"accounts_personidentifier\0value\0two"
OLD, NEW = ("old", os.urandom(32)), ("new", os.urandom(32))


@given(plaintext=st.binary(max_size=2000), context=st.binary(max_size=200))
def test_what_was_encrypted_comes_back_in_its_context(plaintext, context):
    assert decrypt(encrypt(plaintext, context=context), context=context) == plaintext


def test_equal_values_look_different_and_show_nothing_of_themselves():
    first, second = (encrypt(b"AB 1234567", context=HERE) for _ in range(2))

    assert first != second
    assert b"1234567" not in first + second


@pytest.mark.checklist(92)
def test_a_ciphertext_moved_to_another_place_is_refused():
    with pytest.raises(DecryptionError, match="belongs elsewhere"):
        decrypt(encrypt(b"AB 1234567", context=HERE), context=ELSEWHERE)


@given(place=st.integers(min_value=0), change=st.integers(min_value=1, max_value=255))
def test_a_ciphertext_with_one_changed_byte_is_refused(place, change):
    damaged = bytearray(encrypt(b"AB 1234567", context=HERE))
    damaged[place % len(damaged)] ^= change

    with pytest.raises(DecryptionError):
        decrypt(bytes(damaged), context=HERE)


@given(st.binary(max_size=80))
def test_what_was_never_a_ciphertext_is_refused(data):
    with pytest.raises(DecryptionError):
        decrypt(data, context=HERE)


def test_a_ciphertext_cut_short_is_refused():
    whole = encrypt(b"AB 1234567", context=HERE)

    for length in range(len(whole)):
        with pytest.raises(DecryptionError):
            decrypt(whole[:length], context=HERE)


@pytest.mark.checklist(91)
def test_the_first_key_encrypts_and_every_key_of_the_ring_decrypts(settings):
    settings.ENCRYPTION_KEYS = (OLD,)
    before = encrypt(b"value", context=HERE)
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    after = encrypt(b"value", context=HERE)

    assert (key_id_of(before), key_id_of(after)) == ("old", "new")
    assert decrypt(before, context=HERE) == decrypt(after, context=HERE) == b"value"


@pytest.mark.checklist(91)
def test_a_value_whose_key_is_gone_is_refused_by_the_name_of_the_key(settings):
    settings.ENCRYPTION_KEYS = (OLD,)
    before = encrypt(b"value", context=HERE)
    settings.ENCRYPTION_KEYS = (NEW,)

    with pytest.raises(DecryptionError, match="called old"):
        decrypt(before, context=HERE)


def test_another_key_under_the_same_name_is_refused(settings):
    settings.ENCRYPTION_KEYS = (OLD,)
    before = encrypt(b"value", context=HERE)
    settings.ENCRYPTION_KEYS = (("old", NEW[1]),)

    with pytest.raises(DecryptionError, match="was changed"):
        decrypt(before, context=HERE)


def test_derived_keys_differ_by_purpose_and_by_secret_and_are_stable(settings):
    first = derive("refresh successors")

    assert first == derive("refresh successors")
    assert len(first) == 32
    assert first != derive("something else")
    settings.SECRET_KEY = "another secret key than the one before"
    assert first != derive("refresh successors")


def test_a_ring_is_read_in_its_order_and_in_either_alphabet_of_base64():
    one, two = b"\xfb\xff" * 16, os.urandom(32)
    text = f" b:{base64.urlsafe_b64encode(one).decode().rstrip('=')} , a:{base64.b64encode(two).decode()},"

    assert read_key_ring(text) == (("b", one), ("a", two))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "names no key"),
        ("c2hvcnQ=", "not of the form"),
        ("a b:c2hvcnQ=", "not of the form"),
        ("a:c2hvcnQ=", "has 5 bytes"),
        ("a:????", "is not base64"),
        ("a:é", "is not base64"),
        (f"a:{'A' * 43},a:{'B' * 42}A", "one id to two"),
        (f"a:{'A' * 43},b:{'A' * 43}", "one key two ids"),
    ],
)
def test_a_ring_that_cannot_be_used_is_refused(text, reason):
    with pytest.raises(UnusableKeyError, match=reason):
        read_key_ring(text)


def test_a_refusal_does_not_quote_the_key():
    with pytest.raises(UnusableKeyError) as refusal:
        read_key_ring("a:c2VjcmV0")

    assert "c2VjcmV0" not in str(refusal.value)


def test_typed_keys_are_guessable_and_random_ones_are_not():
    assert is_guessable(read_key("A" * 43))
    assert is_guessable(b"correct horse battery staple 123")
    assert all(is_guessable(key) for _, key in current.ENCRYPTION_KEYS)
    assert not any(is_guessable(os.urandom(32)) for _ in range(1000))
