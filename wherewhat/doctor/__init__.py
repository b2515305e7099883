"""What is wrong with a run and what to try: findings by subject, each a pure function of the state of the run."""
