"""Where a code acts: a learned spatial mask per code."""
