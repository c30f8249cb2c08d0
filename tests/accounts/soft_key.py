"""A security key in software, and the browser around it: real keys, real signatures, no attestation."""

import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

PRESENT, VERIFIED, WITH_KEY = 0x01, 0x04, 0x40


@dataclass
class SoftKey:
    """A key that has one credential, and counts its signatures."""

    origin: str
    count: int = 0
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: os.urandom(32))

    def create(self, options: Mapping[str, Any], **others: str) -> dict[str, Any]:
        """Do as `navigator.credentials.create` does."""
        asked = options["publicKey"]
        client = self._client("webauthn.create", asked["challenge"], others)
        key = AttestedCredentialData.create(
            b"\0" * 16, self.credential_id, ES256.from_cryptography_key(self.private.public_key())
        )
        data = AuthenticatorData.create(
            _hash(others.get("rp_id", asked["rp"]["id"])), PRESENT | VERIFIED | WITH_KEY, self.count, key
        )
        made = AttestationObject.create("none", data, {})
        return self._credential({"clientDataJSON": _text(client), "attestationObject": _text(made)})

    def get(self, options: Mapping[str, Any], *, flags: int = PRESENT | VERIFIED, **others: str) -> dict[str, Any]:
        """Do as `navigator.credentials.get` does."""
        asked = options["publicKey"]
        self.count += 1
        client = self._client("webauthn.get", asked["challenge"], others)
        data = AuthenticatorData.create(_hash(others.get("rp_id", asked["rpId"])), flags, self.count)
        signature = self.private.sign(data + client.hash, ec.ECDSA(SHA256()))
        return self._credential(
            {"clientDataJSON": _text(client), "authenticatorData": _text(data), "signature": _text(signature)}
        )

    def _client(self, kind: str, asked: str, others: Mapping[str, str]) -> CollectedClientData:
        said = {"challenge": asked, "origin": self.origin, **others}
        said.pop("rp_id", None)
        return CollectedClientData.create(type=kind, **said)

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = _text(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}


def _hash(rp_id: str) -> bytes:
    return sha256(rp_id.encode()).digest()


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
