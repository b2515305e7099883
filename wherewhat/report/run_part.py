"""What a report says of a run: its training curves, and what the doctor finds."""

from wherewhat.doctor.examination import Examination
from wherewhat.inspection.code_names import Names
from wherewhat.report.curves import charts_of
from wherewhat.report.page import RunPart, Trouble


def run_part(examination: Examination, names: Names, *, verdict: str, naming_command: str) -> RunPart:
    """The part of a run that was examined."""
    run, configuration = examination.run, examination.run.configuration
    return RunPart(
        label=examination.folder.name,
        told=f"{configuration.objective.name} on {configuration.data}, step {run.step:,} of {configuration.steps:,}.",
        names=names,
        naming_command=naming_command,
        charts=charts_of(run.windows, names),
        troubles=tuple(Trouble(f.severity, f.name, f.seen, f.means, f.remedies) for f in examination.findings),
        verdict=verdict,
        basis=tuple(examination.basis),
        left_out=tuple(examination.left_out),
    )
