"""twin.py WEIGHTS.npz HISTORIES.npz SCORES.npy: the scores that the paper's model in PyTorch (Benchmarks/peers) gives with these weights, for padded
histories of item numbers from 1. The names are the reference code's, and none is missing or left over."""

import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "Benchmarks" / "peers"))
from model import RecBLR  # noqa: E402

weights = {name: torch.from_numpy(values) for name, values in np.load(sys.argv[1]).items()}
histories = np.load(sys.argv[2])
rows, hidden = weights["item_embedding.weight"].shape
inner, _, taps = weights["recurrent_layers.0.behavior_modeling.conv1d.weight"].shape
layers = sum(name.endswith("behavior_modeling.Lambda") for name in weights)
model = RecBLR(rows - 1, hidden, layers, inner // hidden, taps)
model.load_state_dict(weights, strict=True)
model.eval()
with torch.no_grad():
    after = model.hidden_padded(torch.from_numpy(histories["items"]), torch.from_numpy(histories["lengths"]))
    np.save(sys.argv[3], (after @ weights["item_embedding.weight"][1:].T).numpy())
