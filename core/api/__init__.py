"""The HTTP surface that every resource shares."""
