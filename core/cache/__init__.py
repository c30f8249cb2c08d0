"""Answers that are kept, and never served once what they were made of has changed."""
