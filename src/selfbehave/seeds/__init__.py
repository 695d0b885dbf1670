"""Seed tasks: read from files, packaged here, or imported from a user's own suites."""
