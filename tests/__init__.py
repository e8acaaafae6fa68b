"""Tests, laid out as `src/antiphon` is."""
