"""People with a second factor, as tests about it need them."""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from rest_framework.test import APIClient

from accounts import totp
from tests.accounts.factories import PASSWORD

TOKEN, SECOND_STEP, ME = "/api/v1/auth/token/", "/api/v1/auth/token/mfa/", "/api/v1/auth/me/"
MFA = "/api/v1/auth/mfa/"
# How long a code is on its way.
TO_TYPE = timedelta(seconds=2)


@dataclass
class Owner:
    """Somebody at a client, and the app on their telephone."""

    email: str
    client: APIClient = field(default_factory=APIClient)
    secret: str = ""
    recovery_codes: list[str] = field(default_factory=list)
    refresh: str = ""
    # Each code is good once: the app is asked for later and later ones, of which two lie within the tolerance.
    _step: int = 0

    def first_step(self, **others: str) -> Any:
        return self.client.post(TOKEN, {"email": self.email, "password": PASSWORD, **others})

    def second_step(self, token: str, code: str) -> Any:
        return self.client.post(SECOND_STEP, {"mfa_token": token, "code": code})

    def mfa_token(self) -> str:
        self.client.credentials()
        token: str = self.first_step().json()["data"]["mfa_token"]
        return token

    def code(self, at: datetime | None = None) -> str:
        """Return the next code that the app shows."""
        now = totp.step_at(at or moment_to_type())
        self._step = max(self._step + 1, now - 1)
        return totp.code_at(self.secret, self._step)

    def carry(self, answer: Any) -> dict[str, Any]:
        """Go on with the tokens of an answer."""
        data: dict[str, Any] = answer.json()["data"]
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['access']}")
        self.refresh = data.get("refresh", self.refresh)
        return data

    def log_in(self) -> dict[str, Any]:
        self.client.credentials()
        answer = self.first_step()
        if "mfa_token" in answer.json()["data"]:
            answer = self.second_step(answer.json()["data"]["mfa_token"], self.code())
        return self.carry(answer)

    def enrol(self, password: str = PASSWORD) -> dict[str, Any]:
        """Set up an app, and write down the recovery codes."""
        begun = self.client.post(f"{MFA}totp/", {"password": password} if password else {})
        self.secret = begun.json()["data"]["secret"]
        data = self.carry(self.client.post(f"{MFA}totp/confirm/", {"code": self.code(), "name": "Telephone"}))
        self.recovery_codes = data["recovery_codes"]
        return data


def moment_to_type() -> datetime:
    """Return the present, unless a step is about to end, after which the first code that counts would count no more."""
    while totp.step_at(timezone.now()) != totp.step_at(timezone.now() + TO_TYPE):
        time.sleep(0.05)
    return timezone.now()


def later(minutes: float) -> datetime:
    return timezone.now() + timedelta(minutes=minutes)
