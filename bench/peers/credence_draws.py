"""Effective draws of f over the grid from an exported run: credence_draws.py RUN.npz"""
import json
import sys

import numpy as np

import worker

z = np.load(sys.argv[1])
f = worker.f_on_grid(z["net/Dense_0.bias"], z["net/Dense_0.kernel"], z["net/Dense_1.bias"], z["net/Dense_1.kernel"])
print(json.dumps({"steps": int(z["n_steps"].sum()), **worker.effective_draws(f)}))
