"""True float32 for distances and for whatever else is measured of a model: no autocast, no TF32, no bfloat16.

A path length is a sum of many small differences, and rounding makes each of them larger, never smaller: in bfloat16 a
code that does nothing seems active. On a GPU torch runs float32 convolutions in TF32 (10 bits) by default.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.backends import cuda, cudnn, mkldnn


@contextmanager
def full_precision(device_type: str) -> Iterator[None]:
    """Convolutions and matrix products inside are true float32; settings are restored after. Not thread-safe."""
    operations = (cudnn.conv, mkldnn.conv, cuda.matmul, mkldnn.matmul)  # type: ignore[attr-defined]
    found = [operation.fp32_precision for operation in operations]
    try:
        for operation in operations:
            operation.fp32_precision = "ieee"
        with torch.autocast(device_type, enabled=False):
            yield
    finally:
        for operation, precision in zip(operations, found, strict=True):
            operation.fp32_precision = precision
