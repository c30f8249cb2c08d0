"""The catalogue, the offer and the timetable over HTTP."""
