"""The report of runs: requests, kept rows, costs, novelty and variety.

`make_report` makes it: `facts` reads a run, `counts`, `diversity` and `deeds` count, `run_figures`
draws, `run_tables` and `page` show.
"""
