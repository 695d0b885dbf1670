"""A run in its folder: the pipeline of stages, the order of requests, and the run's files."""
