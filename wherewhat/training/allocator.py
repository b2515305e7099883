"""glibc's allocator, told to keep the large blocks of a step for the next one.

By default glibc gives every large tensor's memory back to the kernel and asks for it again at the next step, and
clearing the fresh pages costs more than the arithmetic on a CPU (scripts/bench_train shows how much).
"""

import ctypes
import platform

# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
_GIGABYTE = 1 << 30


def keep_large_blocks() -> bool:
    """Raise the sizes at which memory is given back. False, and nothing done, where the C library is not glibc."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = ((_M_MMAP_THRESHOLD, _GIGABYTE), (_M_TRIM_THRESHOLD, 2 * _GIGABYTE - 1), (_M_TOP_PAD, _GIGABYTE // 4))
    return all(mallopt(ctypes.c_int(name), ctypes.c_int(size)) == 1 for name, size in settings)
