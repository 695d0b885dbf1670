"""Batches: many requests in one file, answered by a server within a day, usually at half the price.

`lines` reads and writes the files, `log` keeps what is in flight through every kind of end,
`endpoints` speaks to the server, and `batching` stands between a stage and all of them.
"""
