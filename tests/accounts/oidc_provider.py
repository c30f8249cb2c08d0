"""An OpenID Connect provider on a port of this machine, by Authlib's server: it knows nothing of our code.

Who logs in there is whoever `person` describes, without a page in between. What a dishonest or broken provider would
say instead is put into `claims` and `key`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6750 import BearerTokenValidator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

CLIENT_ID, CLIENT_SECRET = "campushub360", "the client's : secret"
REDIRECT_URI = "https://campus.example.org/log-in/back"


class Client:
    """The only one it serves: us."""

    id_token_signed_response_alg = "RS256"

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return REDIRECT_URI

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == REDIRECT_URI

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class Code:
    """What an authorization code stands for."""

    code: str
    data: dict[str, str]

    code_challenge = property(lambda self: self.data.get("code_challenge"))
    code_challenge_method = property(lambda self: self.data.get("code_challenge_method"))

    def get_redirect_uri(self) -> str:
        return self.data["redirect_uri"]

    def get_scope(self) -> str:
        return self.data["scope"]

    def get_nonce(self) -> str | None:
        return self.data.get("nonce")

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


@dataclass
class Token:
    """An access token for what it says of the person."""

    scope: str

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return False

    def get_scope(self) -> str:
        return self.scope


@dataclass
class RunningProvider:
    """A provider, whom it describes, and what it says against the standard."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}))
    published: list[Any] = field(default_factory=list)
    algorithm: str = "RS256"
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.published.append(self.key)

    def rotate(self, kid: str, *, publish: bool = True, curve: str = "") -> None:
        """Sign with another key from now on."""
        options = {"kid": kid, "use": "sig"}
        self.key = ECKey.generate_key(curve, options) if curve else RSAKey.generate_key(2048, options)
        if publish:
            self.published.append(self.key)


def application(provider: RunningProvider) -> Flask:  # noqa: C901 - a handler for each address, and no branch
    """Return what serves the provider."""
    app, codes, tokens = Flask(__name__), {}, {}

    class CodeGrant(AuthorizationCodeGrant):
        TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]

        def save_authorization_code(self, code: str, request: Any) -> None:
            codes[code] = Code(code, dict(request.payload.data))

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del codes[authorization_code.code]

        def authenticate_user(self, authorization_code: Code) -> dict[str, Any]:
            return provider.person

    class IdentityToken(OpenIDCode):
        def exists_nonce(self, nonce: str, request: Any) -> bool:
            return any(code.get_nonce() == nonce for code in codes.values())

        def resolve_client_private_key(self, client: Client) -> Any:
            return provider.key

        def get_client_algorithm(self, client: Client) -> str:
            return provider.algorithm

        def get_encode_header(self, client: Client) -> dict[str, str]:
            return {"alg": provider.algorithm, "kid": provider.key.kid}

        def get_client_claims(self, client: Client) -> dict[str, Any]:
            return {"iss": provider.issuer, "aud": [CLIENT_ID]}

        def generate_user_info(self, user: Any, scope: str) -> dict[str, Any]:
            return {**provider.person, **provider.claims}

    class Validator(BearerTokenValidator):
        def authenticate_token(self, token_string: str) -> Token | None:
            return tokens.get(token_string)

    server = AuthorizationServer(
        app,
        query_client=lambda client_id: Client() if client_id == CLIENT_ID else None,
        save_token=lambda token, request: tokens.update({token["access_token"]: Token(token["scope"])}),
    )
    server.register_grant(CodeGrant, [CodeChallenge(required=True), IdentityToken(require_nonce=True)])
    protected = ResourceProtector()
    protected.register_token_validator(Validator())

    @app.before_request
    def note() -> None:
        provider.asked.append(request.path)

    @app.get("/.well-known/openid-configuration")
    def metadata() -> Any:
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        described = {name: f"{provider.issuer}/{path}" for name, path in paths.items()}
        return jsonify({"issuer": provider.issuer, **described, **provider.metadata})

    @app.get("/keys")
    def keys() -> Any:
        return jsonify(KeySet(provider.published).as_dict(private=False))

    @app.get("/authorize")
    def authorize() -> Any:
        grant = server.get_consent_grant(end_user=provider.person)
        return server.create_authorization_response(grant=grant, grant_user=provider.person)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/userinfo")
    @protected()
    def userinfo() -> Any:
        assert current_token.get_scope()
        return jsonify({"sub": provider.person["sub"], **provider.info})

    @app.get("/elsewhere")
    def elsewhere() -> Any:
        return "", 302, {"Location": f"{provider.issuer}/keys"}

    return app


class Quiet(WSGIRequestHandler):
    """Says nothing of its requests."""

    def log(self, *arguments: Any) -> None:
        return None


@contextmanager
def running(person: dict[str, Any]) -> Iterator[RunningProvider]:
    """Serve a provider at which `person` is logged in, until the block ends."""
    provider = RunningProvider(person=person)
    server = make_server("127.0.0.1", 0, application(provider), threaded=True, request_handler=Quiet)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
