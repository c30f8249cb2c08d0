"""Faculty, and the posts they hold."""
