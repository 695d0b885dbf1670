"""The report of runs: what was asked and kept, what it cost, how new and how varied it is.

`make_report` makes it: `facts` reads a run, `counts`, `diversity` and `deeds` count, `run_figures`
draws, `run_tables` and `page` show.
"""
