"""New scenarios made from earlier ones: what is changed, and who descends from whom.

A family is a scenario that was not made from another one, with all that descend from it.
"""
