"""What a scenario is steered by: a cell of the axes gives it a system, a rule, values and outcome.

The program draws the values and works out the outcome, so that the outcome follows from the values.
"""
