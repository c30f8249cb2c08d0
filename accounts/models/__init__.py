"""People, their accounts, what they may do, where they are logged in, and what signs their tokens.

Person 1 --- 0..1 User 1 --- * RoleAssignment
                  User 1 --- * Session
                  User 1 --- * AccountMail
                  User 1 --- * SecondFactor, RecoveryCode, PendingLogIn, FederatedIdentity
Person 1 --- * PersonIdentifier
User 1 --- * ApiKey 1 --- 1 ApiKeyUse
SigningKey, GuessCount, FederatedLogIn
"""

from accounts.models.api_key import ApiKey, ApiKeyUse
from accounts.models.factors import FactorKind, PendingLogIn, RecoveryCode, SecondFactor
from accounts.models.federation import FederatedIdentity, FederatedLogIn
from accounts.models.guesses import GuessCount
from accounts.models.identifier import IdentifierScheme, PersonIdentifier
from accounts.models.mail import AccountMail, MailKind
from accounts.models.person import Gender, Person, SamePerson
from accounts.models.session import Session
from accounts.models.signing_key import KeyState, SigningKey
from accounts.models.user import RoleAssignment, User

__all__ = [
    "AccountMail",
    "ApiKey",
    "ApiKeyUse",
    "FactorKind",
    "FederatedIdentity",
    "FederatedLogIn",
    "Gender",
    "GuessCount",
    "IdentifierScheme",
    "KeyState",
    "MailKind",
    "PendingLogIn",
    "Person",
    "PersonIdentifier",
    "RecoveryCode",
    "RoleAssignment",
    "SamePerson",
    "SecondFactor",
    "Session",
    "SigningKey",
    "User",
]
