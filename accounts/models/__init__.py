"""People, their accounts, what they may do, and where they are logged in.

Person 1 --- 0..1 User 1 --- * RoleAssignment
                  User 1 --- * Session
"""

from accounts.models.person import Gender, Person
from accounts.models.session import Session
from accounts.models.user import RoleAssignment, User

__all__ = ["Gender", "Person", "RoleAssignment", "Session", "User"]
