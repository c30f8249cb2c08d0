"""Speaking OpenID Connect with the log-in of another institution: the authorization code flow with PKCE.

After OpenID Connect Core 1.0 (3.1), RFC 7636 (PKCE, S256) and RFC 9700. An identity token counts if it is signed by
a key that the provider publishes, with an algorithm of our list and not of the token's choice, by the issuer that
was configured, for us, now, and for this very log-in (`nonce`).

Requests go to a configured issuer and to the endpoints that it names, of which production demands https; none follows a
redirect, waits longer than some seconds or reads more than a little. What a provider publishes is kept for minutes.
"""

import json
import math
import ssl
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from hmac import compare_digest, digest
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, Request

import jwt
from django.conf import settings

from core.security.encryption import derive

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
DISCOVERY = "/.well-known/openid-configuration"
TIMEOUT_SECONDS = 5
MOST_BYTES = 256 * 1024
KEPT_SECONDS = 600
# A key that is not known, and a provider that does not answer, are asked for at most so often, whoever comes.
PATIENCE_SECONDS = 10
LEEWAY_SECONDS = 30
LONGEST_SUBJECT = 255
# How a client says who it is where a provider does not say (OpenID Connect Discovery 1.0, 3).
BASIC = "client_secret_basic"


class ProviderRefusedError(Exception):
    """The provider did not take the code, or what it said does not count; `str()` says why, for the log."""


class ProviderUnavailableError(Exception):
    """The provider did not answer, or not as one does."""


@dataclass(frozen=True)
class Provider:
    """Where people may log in instead of here, as `OIDC_PROVIDERS` describes it."""

    name: str
    title: str
    issuer: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[str, ...] = ("openid", "email")
    links_by_email: bool = False
    trusts_mfa: bool = False


@dataclass(frozen=True)
class Claims:
    """What an identity token says, once it counts."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    amr: tuple[str, ...]


def providers() -> dict[str, Provider]:
    """Return the configured providers by their names."""
    return {each["name"]: Provider(**each) for each in settings.OIDC_PROVIDERS}


def authorization_url(provider: Provider, *, state: str, redirect_uri: str) -> str:
    """Return where the browser goes to log in; raise `ProviderUnavailableError`."""
    endpoint = _endpoint(provider, "authorization_endpoint")
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(provider.scopes),
        "state": state,
        "nonce": nonce_of(state),
        "code_challenge": _text(sha256(verifier_of(state).encode()).digest()),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"


def nonce_of(state: str) -> str:
    """Return what the identity token of a log-in repeats."""
    return _text(digest(derive("oidc-nonce"), state.encode(), "sha256"))


def verifier_of(state: str) -> str:
    """Return what shows the provider that the code is exchanged by who asked for it; only we can compute it."""
    return _text(digest(derive("oidc-verifier"), state.encode(), "sha256"))


def exchange(provider: Provider, *, code: str, state: str, redirect_uri: str) -> Claims:
    """Exchange a code for what the provider says of its owner.

    Raises `ProviderRefusedError` and `ProviderUnavailableError`.
    """
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier_of(state),
    }
    headers = {}
    if BASIC in _metadata(provider).get("token_endpoint_auth_methods_supported", [BASIC]):
        # RFC 6749, 2.3.1: both parts are encoded as in a form.
        identity = f"{quote(provider.client_id, safe='')}:{quote(provider.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {b64encode(identity.encode()).decode()}"
    else:
        body |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
    answer = _fetch(_endpoint(provider, "token_endpoint"), body=body, headers=headers)
    said = _verified(provider, answer.get("id_token"), nonce=nonce_of(state))
    if "email" not in said and "userinfo_endpoint" in _metadata(provider):
        said = {**_user_info(provider, answer.get("access_token"), said["sub"]), **said}
    means = said.get("amr")
    return Claims(
        issuer=provider.issuer,
        subject=said["sub"],
        email=str(said.get("email") or ""),
        # Nothing but the truth value: some providers send text.
        is_email_verified=said.get("email_verified") is True,
        amr=tuple(map(str, means)) if isinstance(means, list) else (),
    )


def _verified(provider: Provider, token: Any, *, nonce: str) -> dict[str, Any]:
    """Return what an identity token says, after OpenID Connect Core 3.1.3.7."""
    if not isinstance(token, str):
        raise ProviderRefusedError("there is no identity token")
    try:
        header = jwt.get_unverified_header(token)
        key = _key(provider, header.get("kid"), header.get("alg"))
        said: dict[str, Any] = jwt.decode(
            token,
            key=key,
            algorithms=[key.algorithm_name],
            issuer=provider.issuer,
            audience=provider.client_id,
            leeway=LEEWAY_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise ProviderRefusedError(f"the identity token does not count: {error}") from error
    if not compare_digest(str(said.get("nonce", "")).encode(errors="surrogatepass"), nonce.encode()):
        raise ProviderRefusedError("the identity token is of another log-in")
    if isinstance(said["aud"], list) and len(said["aud"]) > 1 and said.get("azp") != provider.client_id:
        raise ProviderRefusedError("the identity token is for somebody else")
    if not isinstance(said["sub"], str) or not 0 < len(said["sub"]) <= LONGEST_SUBJECT:
        raise ProviderRefusedError("the identity token names nobody")
    return said


def _key(provider: Provider, kid: Any, algorithm: Any) -> jwt.PyJWK:
    """Return the key a token names, for an algorithm of our list that the key is meant for."""
    if algorithm not in ALGORITHMS:
        raise ProviderRefusedError("the algorithm is not one of ours")
    for is_fresh in (False, True):
        keys = _kept.get(_endpoint(provider, "jwks_uri"), at_once=is_fresh).get("keys")
        for each in keys if isinstance(keys, list) else []:
            if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kid") != kid:
                continue
            if each.get("alg", algorithm) == algorithm and each.get("kty") != "oct":
                return jwt.PyJWK.from_dict(each, algorithm)
    raise ProviderRefusedError("no key of the provider has this name")


def _user_info(provider: Provider, token: Any, subject: str) -> dict[str, Any]:
    info = _fetch(_endpoint(provider, "userinfo_endpoint"), headers={"Authorization": f"Bearer {token}"})
    # OpenID Connect Core 5.3.2: what is said of somebody else is not used.
    return info if info.get("sub") == subject else {}


def _metadata(provider: Provider) -> Mapping[str, Any]:
    metadata = _kept.get(provider.issuer.rstrip("/") + DISCOVERY)
    if metadata.get("issuer") != provider.issuer:
        raise ProviderUnavailableError("the provider describes another issuer")
    return metadata


def _endpoint(provider: Provider, name: str) -> str:
    url = str(_metadata(provider).get(name, ""))
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.OIDC_PLAIN_HTTP_ALLOWED):
        raise ProviderUnavailableError(f"{name} is no address to ask")
    return url


class _Kept:
    """What providers publish, for some minutes, and that one did not answer, for some seconds."""

    def __init__(self) -> None:
        self._asking: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._found: dict[str, tuple[float, dict[str, Any]]] = {}
        self._silent: dict[str, float] = {}

    def get(self, url: str, *, at_once: bool = False) -> dict[str, Any]:
        """Return what an address publishes, not older than a few minutes, or a few seconds if it is needed at once.

        One request at a time asks an address, so that a provider that is slow keeps nobody from the others, and those
        who waited for one that does not answer need not wait again.
        """
        with self._asking[url]:
            known = self._found.get(url)
            if known is not None and time.monotonic() - known[0] < (PATIENCE_SECONDS if at_once else KEPT_SECONDS):
                return known[1]
            if time.monotonic() - self._silent.get(url, -math.inf) < PATIENCE_SECONDS:
                raise ProviderUnavailableError(f"{urlsplit(url).netloc} did not answer just now")
            try:
                found = _fetch(url)
            except ProviderUnavailableError:
                self._silent[url] = time.monotonic()
                raise
            self._found[url] = (time.monotonic(), found)
            return found

    def forget(self) -> None:
        """Ask anew for everything."""
        self._found, self._silent = {}, {}


_kept = _Kept()


@cache
def _opener() -> OpenerDirector:
    # No handler of redirects, proxies, files or errors: an answer is what the address itself says.
    opener = OpenerDirector()
    opener.add_handler(HTTPHandler())
    opener.add_handler(HTTPSHandler(context=ssl.create_default_context()))
    return opener


def _fetch(
    url: str, *, body: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the JSON object that an address answers with."""
    data = urlencode(body).encode() if body is not None else None
    request = Request(url, data=data, headers={"Accept": "application/json", **(headers or {})})  # noqa: S310 - the schemes are those of the opener
    try:
        with _opener().open(request, timeout=TIMEOUT_SECONDS) as answer:
            status, content = answer.status, answer.read(MOST_BYTES + 1)
    except (HTTPError, URLError, HTTPException, OSError, ValueError) as error:
        raise ProviderUnavailableError(f"{urlsplit(url).netloc} does not answer: {type(error).__name__}") from error
    if 400 <= status < 500 and data is not None:  # noqa: PLR2004 - the class of statuses that say it is our fault
        raise ProviderRefusedError(f"the provider refused the code with {status}")
    try:
        found = json.loads(content) if status == 200 and len(content) <= MOST_BYTES else None  # noqa: PLR2004 - OK
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ProviderUnavailableError(f"{urlsplit(url).netloc} answers {status} with something else")
    return found


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
