"""bench_train.py LEVELS: the same network in PyTorch, one thread, channels last, as fast as it gets.

Prints one line: `torch VERSION train RATE encode RATE`, images a second. Run with
MALLOC_MMAP_THRESHOLD_ and MALLOC_TRIM_THRESHOLD_ raised, as bench_train.sh does: that alone is
worth a third.
"""
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
levels, batch = int(sys.argv[1]), 64


def convolution(inputs, outputs):
    return nn.Conv2d(inputs, outputs, 3, padding=1)


encoder, decoder = [], []
for level in range(levels):
    encoder += [convolution(16 if level else 1, 16), nn.ReLU(), nn.MaxPool2d(2)]
for level in range(levels):
    decoder += [convolution(16, 16), nn.ReLU(), nn.Upsample(scale_factor=2, mode="nearest")]
decoder += [convolution(16, 1), nn.Sigmoid()]
network = nn.Sequential(*encoder, *decoder).to(memory_format=torch.channels_last)
features = nn.Sequential(*encoder[:6 if levels > 1 else 3])
optimiser = torch.optim.Adam(network.parameters())
images = torch.rand(batch, 1, 64, 64).contiguous(memory_format=torch.channels_last)


def train():
    noisy = (images + 0.05 * torch.randn_like(images)).clamp_(0, 1)
    optimiser.zero_grad(set_to_none=True)
    nn.functional.mse_loss(network(noisy), images).backward()
    optimiser.step()


def encode():
    with torch.no_grad():
        features(images)


def best_rate(work):
    best = 1e9
    for _ in range(15):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return batch / best


print(f"torch {torch.__version__} train {best_rate(train):.0f} encode {best_rate(encode):.0f}")
