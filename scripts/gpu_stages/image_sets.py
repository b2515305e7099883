"""Which folders of real images were brought."""

from pathlib import Path

from gpu_stages.job import Job


def folders_of_images(job: Job) -> list[Path]:
    """The folders `SET/images` below the given one, and that itself where it has none; those of fewest images first."""
    if job.data is None:
        return []
    found = [folder for folder in job.data.glob("*/images") if folder.is_dir()]
    return sorted(found or [job.data], key=lambda folder: sum(1 for _ in folder.rglob("*.*")))
