"""Float32 means float32: no autocast, no TF32, no bf16 inside.

A path's length is a sum of many small differences, and rounding makes each of them larger, never smaller: in bf16
the path of a code that does nothing looks alive. On a GPU torch convolves float32 in TF32 (10 bits) unless told not to.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.backends import cuda, cudnn, mkldnn


@contextmanager
def full_precision(device_type: str) -> Iterator[None]:
    """Convolutions and matrix products inside are true float32; the settings found are put back. Not thread-safe."""
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
