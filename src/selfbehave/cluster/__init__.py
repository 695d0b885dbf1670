"""The stages on a Ray cluster: expensive work runs on the workers, ordered work runs here.

A run is a pure function of its seeds, settings, answers and verdicts. So the workers do only two
things: they have requests answered, and they climb the ladder with pairs. Each answer is written to
the run's journal the moment it arrives. The stages and their files are the same as on one machine.
"""
