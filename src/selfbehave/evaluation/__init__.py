"""Evaluation: how well a model writes step functions for scenarios that it has not seen.

A benchmark holds scenarios with hidden checks: the same scenario with other values. Answers climb
the ladder, and those that satisfy the hidden checks too are general.
"""
