"""How many causal rows a model gives: `python -m benchmarks yield --model FILE.gguf`.

The program draws a cell (a system, a rule, values and the outcome that follows). The model puts it
into a scenario and then writes step functions, in several ways that the benchmark compares.
"""
