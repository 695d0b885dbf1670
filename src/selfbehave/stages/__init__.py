"""The four stages: bootstrap, classify, instances, prepare.

A stage is computed from its records, its settings and the engine's answers alone; files and
engines are the pipeline's business.
"""
