"""Sight of projects, and of what is offered and wanted before there are any."""

from projects.visibility import cycles, final_year, own

__all__ = ["cycles", "final_year", "own"]
