"""Measurements. Each module has a function ``measure`` that yields titles and tables."""
