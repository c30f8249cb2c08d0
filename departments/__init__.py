"""The shape of the university: its departments, places, calendar and programs."""
