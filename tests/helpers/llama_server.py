"""A llama.cpp server with the small embedded model, in a process of its own: prints its address."""

import sys

import xllamacpp

from selfbehave.engines.models import model_file, model_named

parameters = xllamacpp.CommonParams()
parameters.model.path = str(model_file(model_named("embedded-small")))
parameters.n_parallel = 4
parameters.n_ctx = 4 * 4096
parameters.hostnames = ["127.0.0.1"]
parameters.port = 0
parameters.verbosity = -1
parameters.swa_full = True  # a prefix is kept whole, as by models without a sliding window
server = xllamacpp.Server(parameters)
print(f"{server.listening_address}/v1", flush=True)
sys.stdin.read()  # until the process that started it ends
