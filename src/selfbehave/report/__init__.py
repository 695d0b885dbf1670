"""The report of runs: requests, kept rows, costs, novelty and variety.

`make_report` is the entry point. `facts` reads a run; `counts`, `diversity` and `deeds` compute its
figures; `run_figures` draws the charts; `run_tables` and `page` render the results.
"""
