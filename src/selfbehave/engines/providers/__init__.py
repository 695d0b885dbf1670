"""The providers of answers: each makes one call to one kind of engine."""
