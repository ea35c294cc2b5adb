"""Reads safetensors: eight bytes of header length, a JSON header, then the tensors."""

import json
import struct
from pathlib import Path

import torch
from torch import Tensor

TYPES = {"F32": torch.float32, "I32": torch.int32}


def read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors by name, and the metadata."""
    data = path.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    metadata = header.pop("__metadata__", {})
    body = data[8 + size :]

    def tensor(entry: dict) -> Tensor:
        first, last = entry["data_offsets"]
        return torch.frombuffer(bytearray(body[first:last]), dtype=TYPES[entry["dtype"]]).reshape(entry["shape"])

    return {name: tensor(entry) for name, entry in header.items()}, metadata
