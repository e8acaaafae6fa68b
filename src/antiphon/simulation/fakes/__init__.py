"""Providers and models that do what a test tells them to."""
