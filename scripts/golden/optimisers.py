#!/usr/bin/env python3
"""Golden values for tests/train/test_optimiser.c, from PyTorch 2.2.2 (CPU).

    python3 scripts/golden/optimisers.py tests/train/files

Writes optimisers.safetensors: the parameters of a dense layer (12 weights, which decay, and 4 biases, which do not), gradients
of six steps, the parameters after each step by each optimiser, and the learning rates of 40 steps by each schedule.
"""
import sys

import torch

from train_step import write

STEPS, RATE, DECAY, SCHEDULED, LAST = 6, 0.05, 0.1, 40, 0.02
OPTIMISERS = {
    "adamw": lambda groups: torch.optim.AdamW(groups, lr=RATE),
    "adam": lambda groups: torch.optim.Adam(groups, lr=RATE),
    "sgd": lambda groups: torch.optim.SGD(groups, lr=RATE, momentum=0.8),
    "nesterov": lambda groups: torch.optim.SGD(groups, lr=RATE, momentum=0.8, nesterov=True),
}
SCHEDULES = {
    "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, SCHEDULED, eta_min=LAST * RATE),
    "linear": lambda o: torch.optim.lr_scheduler.LinearLR(o, 1, LAST, SCHEDULED),
    "step": lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.3),
    "one_cycle": lambda o: torch.optim.lr_scheduler.OneCycleLR(o, RATE, SCHEDULED, cycle_momentum=False),
}


def main(folder):
    gen = torch.Generator().manual_seed(4)
    start = torch.randn(16, generator=gen)
    gradients = torch.randn(STEPS, 16, generator=gen)
    tensors = {"start": start, "gradients": gradients}
    for name, make in OPTIMISERS.items():
        weight, bias = start[:12].clone().requires_grad_(), start[12:].clone().requires_grad_()
        optimiser = make([{"params": [weight], "weight_decay": DECAY}, {"params": [bias], "weight_decay": 0}])
        rows = []
        for g in gradients:
            weight.grad, bias.grad = g[:12].clone(), g[12:].clone()
            optimiser.step()
            rows.append(torch.cat([weight, bias]).detach().clone())
        tensors[name] = torch.stack(rows)
    for name, make in SCHEDULES.items():
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
        schedule, rates = make(optimiser), []
        for _ in range(SCHEDULED):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            schedule.step()
        tensors[name] = torch.tensor(rates, dtype=torch.float64)
    write(folder + "/optimisers.safetensors", {k: v.numpy() for k, v in tensors.items()})


main(sys.argv[1])
