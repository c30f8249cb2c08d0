"""People, their accounts, what they may do, where they are logged in, and what signs their tokens.

Person 1 --- 0..1 User 1 --- * RoleAssignment
                  User 1 --- * Session
SigningKey
"""

from accounts.models.person import Gender, Person
from accounts.models.session import Session
from accounts.models.signing_key import KeyState, SigningKey
from accounts.models.user import RoleAssignment, User

__all__ = ["Gender", "KeyState", "Person", "RoleAssignment", "Session", "SigningKey", "User"]
