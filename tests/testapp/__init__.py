"""An app that only the tests have: two models on which `core` is tried without the university."""
