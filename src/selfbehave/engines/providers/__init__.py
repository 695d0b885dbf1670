"""The providers of answers: each one makes single calls to one kind of engine."""
