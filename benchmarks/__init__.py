"""Measures what the documents claim: ratios and differences against named baselines, within one run."""
