"""RecBLR in PyTorch, in two formulations that share every weight.

`packed`  all sequences end to end, a prediction after every event: what recblr does.
`padded`  one sample a row of [batch, length], a prediction after its last event: what the paper's code does.

Modules and parameters are named as in the paper's reference implementation, so that its weights load as they are.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scan import linear_recurrence


Recurrence = Callable[[Tensor, Tensor], Tensor]  # states along the first dimension, of alpha and beta * c


def gated(gates: Tensor, decay: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """alpha and beta * c of the recurrence; gates [..., 2 H], decay [H], c [..., H]."""
    forget, enter = torch.sigmoid(gates).chunk(2, dim=-1)
    log_alpha = -F.softplus(decay) * forget
    beta = torch.sqrt(-torch.expm1(2 * log_alpha) + 1e-8) * enter
    return torch.exp(log_alpha), beta * c


class BehaviorUnit(nn.Module):
    """Projections, causal convolution, gated linear recurrence (paper, section 3.2).

    `pads`: the steps before the first event in `packed`, which begins at 0 without them. `padded` takes as many as it pads.
    """

    def __init__(self, hidden: int, expansion: int, taps: int, recurrence: Recurrence, pads: int) -> None:
        super().__init__()
        inner = expansion * hidden
        self.taps = taps
        self.pads = pads
        self.recurrence = recurrence
        self.input = nn.Linear(hidden, 2 * inner, bias=False)
        self.conv1d = nn.Conv1d(inner, inner, taps, groups=inner, padding=taps - 1)
        self.gates = nn.Linear(inner, 2 * inner)
        self.output = nn.Linear(inner, hidden, bias=False)
        inverse_softplus = [math.log(math.expm1(-math.log(alpha))) for alpha in (0.9, 0.999)]
        self.Lambda = nn.Parameter(torch.linspace(*inverse_softplus, inner))

    def packed(self, x: Tensor, position: Tensor, rows: Tensor | None = None) -> Tensor:
        """x [N, D]; position [N] counts from 0 within each sequence; `rows`: which of the N to return, all without it."""
        u, z = self.input(x).chunk(2, dim=-1)
        c = self.conv1d.bias + u * self.conv1d.weight[:, 0, -1]
        for back in range(1, self.taps):
            inside = (position >= back).unsqueeze(-1)
            c = c + F.pad(u, (0, 0, back, 0))[: len(u)] * inside * self.conv1d.weight[:, 0, -1 - back]
        alpha, drive = self.gated(F.silu(c))
        later = (position > 0).unsqueeze(-1)
        if self.pads:
            drive = drive + alpha * ~later * self.padded_state()
        states = self.recurrence(alpha * later, drive)  # a sequence's first event forgets the one before it
        if rows is not None:
            states, z = states[rows], z[rows]
        return self.output(states * F.silu(z))

    def padded_state(self) -> Tensor:
        """[H] after `pads` steps of padding, of which the convolution's bias is all that enters."""
        alpha, drive = self.gated(F.silu(self.conv1d.bias))
        return drive * (alpha ** torch.arange(self.pads, device=alpha.device).unsqueeze(-1)).sum(0)

    def padded(self, x: Tensor) -> Tensor:
        """x [B, T, D]. Pads on the left to a power of two between projection and convolution, as the reference does."""
        length = x.shape[1]
        pad = (1 << (length - 1).bit_length()) - length
        u, z = F.pad(self.input(x), (0, 0, pad, 0)).chunk(2, dim=-1)
        c = self.conv1d(u.transpose(1, 2))[..., : length + pad].transpose(1, 2)
        alpha, drive = self.gated(F.silu(c))
        states = self.recurrence(alpha.transpose(0, 1), drive.transpose(0, 1)).transpose(0, 1)
        return self.output((states * F.silu(z))[:, pad:])

    def gated(self, c: Tensor) -> tuple[Tensor, Tensor]:
        return gated(self.gates(c), self.Lambda, c)


class FeedForward(nn.Module):
    def __init__(self, hidden: int, dropout: float) -> None:
        super().__init__()
        self.w_1 = nn.Linear(hidden, 4 * hidden)
        self.w_2 = nn.Linear(4 * hidden, hidden)
        self.layer_norm = nn.LayerNorm(hidden, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.dropout(F.silu(self.w_1(x)))
        return self.layer_norm(self.dropout(self.w_2(inner)) + x)


class Layer(nn.Module):
    def __init__(
        self, hidden: int, expansion: int, taps: int, dropout: float, recurrence: Recurrence, pads: int
    ) -> None:
        super().__init__()
        self.behavior_modeling = BehaviorUnit(hidden, expansion, taps, recurrence, pads)
        self.layer_norm = nn.LayerNorm(hidden, eps=1e-12)
        self.ffn = FeedForward(hidden, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, behavior: Tensor) -> Tensor:
        """After the input x and what `behavior_modeling` made of it."""
        return self.ffn(self.layer_norm(self.dropout(behavior) + x))


class RecBLR(nn.Module):
    """Items are numbered 1 ... items; row 0 of the embedding is padding."""

    def __init__(
        self, items: int, hidden: int = 64, layers: int = 2, expansion: int = 2, taps: int = 4, dropout: float = 0.2,
        recurrence: Recurrence = linear_recurrence, pads: int = 0,
    ) -> None:
        super().__init__()
        self.item_embedding = nn.Embedding(items + 1, hidden, padding_idx=0)
        self.layer_norm = nn.LayerNorm(hidden, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.recurrent_layers = nn.ModuleList(
            Layer(hidden, expansion, taps, dropout, recurrence, pads) for _ in range(layers))
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def hidden_packed(self, items: Tensor, position: Tensor) -> Tensor:
        """[N] -> [N, D]."""
        return self._hidden(items, lambda unit, x: unit.packed(x, position))

    def hidden_packed_at(self, rows: Tensor, items: Tensor, position: Tensor) -> Tensor:
        """[R], [N] -> [R, D]: the same at some rows only, which alone pass the end of the last layer."""
        x = self.layer_norm(self.dropout(self.item_embedding(items)))
        for layer in self.recurrent_layers[:-1]:
            x = layer(x, layer.behavior_modeling.packed(x, position))
        last = self.recurrent_layers[-1]
        return last(x[rows], last.behavior_modeling.packed(x, position, rows))

    def hidden_padded(self, items: Tensor, lengths: Tensor) -> Tensor:
        """[B, T], padded on the right with 0 -> [B, D] after each row's last event."""
        x = self._hidden(items, lambda unit, x: unit.padded(x))
        return x[torch.arange(len(items)), lengths.long() - 1]

    def _hidden(self, items: Tensor, recur: Callable[[BehaviorUnit, Tensor], Tensor]) -> Tensor:
        x = self.layer_norm(self.dropout(self.item_embedding(items)))
        for layer in self.recurrent_layers:
            x = layer(x, recur(layer.behavior_modeling, x))
        return x

    def packed_loss(self, items: Tensor, position: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy over the items at every position."""
        logits = F.linear(self.hidden_packed(items, position), self.item_embedding.weight[1:])
        return F.cross_entropy(logits, targets - 1)

    def padded_loss(self, items: Tensor, lengths: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy at last positions; the padding item takes part, as in the reference."""
        logits = F.linear(self.hidden_padded(items, lengths), self.item_embedding.weight)
        return F.cross_entropy(logits, targets.long())
