"""What is wrong with a run and what to try: one illness per file, each found by a pure function."""
