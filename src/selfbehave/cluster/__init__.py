"""The stages on a Ray cluster: what costs goes to the workers, what must be in order stays here.

A run is a pure function of its seeds, its settings and the model's answers. So workers do only two
things: they get requests answered, each answer into the run's journal the moment it arrives, and
they climb the ladder with pairs. The stages themselves are those of one machine, and so are their
files.
"""
