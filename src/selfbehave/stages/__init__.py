"""The stages of a run: bootstrap, classify, instances, prepare, and those of other packages.

`base` says what a stage is, `registry` has them in order. A stage's module declares it, with its
settings. It reads and writes the stage's files with the session that `runs` gives it.
"""
