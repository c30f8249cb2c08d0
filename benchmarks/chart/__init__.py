"""The chart of docs/performance.md."""
