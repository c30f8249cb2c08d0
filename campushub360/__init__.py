"""The composition root: settings, URLs and processes. The only package that may know every app."""
