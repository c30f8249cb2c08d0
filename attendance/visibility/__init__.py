"""Sight of sessions and of who was there.

Everybody sees when classes are, and those in charge of all that gather change them. The sheet of a session is for those
who teach its section or substitute there and those in charge of it; how often a student was there, for the student
and their advisor, too.
"""

from attendance.visibility import arrivals, eligibility, excuses, sessions, sheets, standings, substitutions

__all__ = ["arrivals", "eligibility", "excuses", "sessions", "sheets", "standings", "substitutions"]
