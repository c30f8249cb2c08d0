"""The catalogue, what is taught when, and the weekly timetable."""
