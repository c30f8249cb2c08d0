"""What every test has: the fixtures below, and the servers that `campushub360.settings.testing` provides."""
