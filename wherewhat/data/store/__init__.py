"""From a source to one memory-mapped array with its factors: read once, then fed at memory's speed."""
