#!/usr/bin/env python3
"""Golden tensors of the model's other mixers: a twin in PyTorch, float64, written from the formulas alone.

    pip install torch
    scripts/golden-mixers.py        # writes Tests/Fixtures/reference/mixer-*.safetensors

Attention: one event after the other over the last W, itself included, zeros before the first; softmax(q·k/√D + bias) v.
LRU: h ← a ⊙ h + √(1 − a²) ⊙ u with a = exp(−softplus(Λ)), one event after the other.
"""

import json
import struct
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, layer_norm, pad, silu, softplus

ITEMS, WIDTH, LAYERS, EXPANSION, SPAN, EPSILON = 20, 8, 2, 2, 5, 1e-12
LENGTHS = [1, 3, 37, 5, 12]
FOLDER = Path(__file__).resolve().parent.parent / "Tests/Fixtures/reference"


def shapes(mixer: str) -> dict[str, list[int]]:
    """The program's names and shapes; linear weights are [out, in]."""
    recurrent = EXPANSION * WIDTH
    result = {"item_embedding": [ITEMS + 1, WIDTH], "embedding_norm.scale": [WIDTH], "embedding_norm.shift": [WIDTH]}
    for layer in range(LAYERS):
        own = {
            "attention": {"input_projection": [3 * WIDTH, WIDTH], "distance_bias": [SPAN],
                          "output_projection": [WIDTH, WIDTH]},
            "lru": {"input_projection": [recurrent, WIDTH], "decay": [recurrent],
                    "output_projection": [WIDTH, recurrent]},
        }[mixer] | {
            "recurrent_norm.scale": [WIDTH], "recurrent_norm.shift": [WIDTH],
            "feed_forward.inner.weight": [4 * WIDTH, WIDTH], "feed_forward.inner.bias": [4 * WIDTH],
            "feed_forward.outer.weight": [WIDTH, 4 * WIDTH], "feed_forward.outer.bias": [WIDTH],
            "feed_forward_norm.scale": [WIDTH], "feed_forward_norm.shift": [WIDTH],
        }
        result |= {f"layers.{layer}.{name}": shape for name, shape in own.items()}
    return result


def attention(x: Tensor, w: dict[str, Tensor], layer: str) -> Tensor:
    q, k, v = (x @ w[layer + "input_projection"].T).split(WIDTH, dim=1)
    k, v = (pad(part, (0, 0, SPAN - 1, 0)) for part in (k, v))
    bias = w[layer + "distance_bias"].flip(0)  # the last is for the event itself
    mixed = []
    for t in range(len(x)):
        scores = k[t : t + SPAN] @ q[t] / WIDTH**0.5 + bias
        mixed.append(scores.softmax(0) @ v[t : t + SPAN])
    return torch.stack(mixed) @ w[layer + "output_projection"].T


def lru(x: Tensor, w: dict[str, Tensor], layer: str) -> Tensor:
    u = x @ w[layer + "input_projection"].T
    a = torch.exp(-softplus(w[layer + "decay"]))
    h, states = torch.zeros(EXPANSION * WIDTH, dtype=x.dtype), []
    for event in u:
        h = a * h + torch.sqrt(1 - a * a + 1e-8) * event
        states.append(h)
    return torch.stack(states) @ w[layer + "output_projection"].T


def model(items: Tensor, w: dict[str, Tensor], mixer: str) -> Tensor:
    """Hidden vectors of one sequence."""

    def norm(x: Tensor, name: str) -> Tensor:
        return layer_norm(x, (WIDTH,), w[name + ".scale"], w[name + ".shift"], EPSILON)

    x = norm(w["item_embedding"][items], "embedding_norm")
    for index in range(LAYERS):
        layer = f"layers.{index}."
        y = norm({"attention": attention, "lru": lru}[mixer](x, w, layer) + x, layer + "recurrent_norm")
        network = layer + "feed_forward."
        inner = silu(y @ w[network + "inner.weight"].T + w[network + "inner.bias"])
        x = norm(inner @ w[network + "outer.weight"].T + w[network + "outer.bias"] + y, layer + "feed_forward_norm")
    return x


def write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Safetensors: length of the header, header, elements."""
    header: dict[str, object] = {"__metadata__": metadata}
    body = b""
    for name, tensor in tensors.items():
        number = tensor.dtype.is_floating_point
        data = tensor.detach().to(torch.float32 if number else torch.int32).contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32" if number else "I32", "shape": list(tensor.shape),
                        "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def golden(mixer: str, seed: int) -> None:
    torch.manual_seed(seed)

    def value(name: str, shape: list[int]) -> Tensor:
        values = 0.4 * torch.randn(shape) + (1 if name.endswith(".scale") else -2 if name.endswith(".decay") else 0)
        if name == "item_embedding":
            values[0] = 0  # padding
        return values.double().requires_grad_()

    weights = {name: value(name, shape) for name, shape in shapes(mixer).items()}
    events = torch.randint(1, ITEMS + 1, (sum(LENGTHS),))
    targets = torch.randint(1, ITEMS + 1, (sum(LENGTHS),))
    hidden = torch.cat([model(part, weights, mixer) for part in events.split(LENGTHS)])
    logits = hidden @ weights["item_embedding"][1:].T
    loss = cross_entropy(logits, targets - 1)
    loss.backward()
    tensors = {f"param.{name}": weight for name, weight in weights.items()}
    tensors |= {f"grad.{name}": weight.grad for name, weight in weights.items()}
    tensors |= {"input.items": events, "input.lengths": torch.tensor(LENGTHS), "input.targets": targets,
                "output.hidden": hidden, "output.logits": logits, "output.loss": loss.reshape(1)}
    metadata = {"mixer": mixer, "hidden_size": str(WIDTH), "layers": str(LAYERS), "expansion": str(EXPANSION),
                "attention_window": str(SPAN), "items": str(ITEMS), "seed": str(seed), "torch": torch.__version__}
    write(FOLDER / f"mixer-{mixer}.safetensors", tensors, metadata)


if __name__ == "__main__":
    golden("attention", 1)
    golden("lru", 2)
