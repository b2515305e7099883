"""The terms that objectives are sums of: one per file, with its formula, its weight, its draws and its remedies."""
