"""Audit of a dataset: how far each row climbs the ladder, its faults counted, and its repair."""
