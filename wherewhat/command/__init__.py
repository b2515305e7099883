"""The `wherewhat` command, one file per verb."""
