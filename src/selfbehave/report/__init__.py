"""The report of runs: what was asked and kept, what it cost, how new and how varied it is.

`selfbehave.report.build.report` makes it; `facts` reads a run, `counts`, `diversity` and `deeds`
count, `figures` draws, `page` and `terminal` show.
"""
