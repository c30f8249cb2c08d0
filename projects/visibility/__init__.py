"""Sight of projects, and of what is offered and wanted before there are any."""

from projects.visibility import attachments, cycles, final_year, milestones, own, submissions, supervision

__all__ = ["attachments", "cycles", "final_year", "milestones", "own", "submissions", "supervision"]
