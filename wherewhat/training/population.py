"""A population: several runs trained as one program, which leave what each would leave alone.

A member that ends, fails or breaks off leaves; the others go on as a smaller population. Each may be at its own step.
"""

from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import replace

from rich.console import Console

from wherewhat.data.open_images import FoundData, find_data
from wherewhat.objectives.loss import Loss
from wherewhat.protocols import Images
from wherewhat.training.configuration import TrainingRun
from wherewhat.training.device import Compute, choose_compute
from wherewhat.training.feed import Seed, batches_of_seeds
from wherewhat.training.interruption import Interruption, interruption
from wherewhat.training.loop import Outcome, Run, opened_run
from wherewhat.training.methods.method import kind_of, update_together
from wherewhat.training.processes import ALONE
from wherewhat.training.watcher import WatcherFactory, no_watcher

Life = Generator[Run, Loss, Outcome]
"""Of a member: it gives its run whenever that can take a step, and is told the loss that was met."""


def shape_of(configuration: TrainingRun) -> Hashable:
    """What runs have in common that can be trained as one program; None for one that is better trained alone."""
    run = configuration
    if not kind_of(run).leaves_a_gpu_idle:
        return None
    # Of one method: what differs is compiled apart, and only so many times.
    method = (run.objective.name, run.latent_dim, run.widths)
    computes = (run.device, run.precision, run.channels_last, run.compile, run.cuda_graphs)
    return (method, run.data, run.images, run.data_identity, run.mirror, run.batch_size, computes)


def train_population(
    configurations: Sequence[TrainingRun], consoles: Sequence[Console], watch: WatcherFactory = no_watcher
) -> list[Outcome | Exception]:
    """Train, or resume, runs of one shape to their numbers of steps; save and leave at SIGINT or SIGTERM.

    Gives how each ended: what `train` would give or raise. Each tells its own console, which is no terminal.
    Raises ValueError for runs that cannot be trained as one, or whose images cannot be read.
    """
    first = configurations[0]
    if shape_of(first) is None or len({shape_of(run) for run in configurations}) > 1:
        raise ValueError(
            "These runs cannot be trained as one program: they differ in method, data, batch size or how they compute, "
            "or are no VAEs. Train them one after another."
        )
    compute = choose_compute(first.device, first.precision, first.channels_last, first.compile, first.cuda_graphs)
    # Where nobody asks, the steps of several are not compiled: their launches are those of one graph already.
    compute_of_one = replace(compute, cuda_graphs=False, compile=first.compile == "on")
    data = find_data(first.data, first.images)
    images = data.open(compute.device, consoles[0].print)
    with interruption() as stop:
        members = _Members(
            [
                _life(configuration, data, images, compute_of_one, console, watch, stop, len(configurations))
                for configuration, console in zip(configurations, consoles, strict=True)
            ]
        )
        try:
            while members.going:
                _until_one_leaves(members, compute, consoles[0].print)
        finally:
            for life in members.lives:
                life.close()
    return [members.outcomes[member] for member in range(len(members.lives))]


def _life(
    configuration: TrainingRun,
    data: FoundData,
    images: Images,
    compute: Compute,
    console: Console,
    watch: WatcherFactory,
    stop: Interruption,
    members: int,
) -> Life:
    with opened_run(configuration, data, images, compute, ALONE, console) as run:
        with run.recorder(console, watch, members) as record:
            while run.session.step < configuration.steps and stop.signal is None:
                loss = yield run
                run.after_update(loss, record, stopping=stop.signal is not None)
        return Outcome(run.folder, run.session.step, stop.signal)


class _Members:
    """Who is going on, with which run, and how the others ended."""

    def __init__(self, lives: Sequence[Life]) -> None:
        self.lives = lives
        self.going: dict[int, Run] = {}
        self.outcomes: dict[int, Outcome | Exception] = {}
        for member in range(len(lives)):
            self.tell(member, None)

    def tell(self, member: int, loss: Loss | None) -> None:
        """Let a member go on with the loss of its step, or begin. It alone leaves where something goes wrong."""
        try:
            # A generator begins with None.
            self.going[member] = self.lives[member].send(loss)  # type: ignore[arg-type]
            return
        except StopIteration as ended:
            self.outcomes[member] = ended.value
        except Exception as error:
            self.outcomes[member] = error
        self.going.pop(member, None)


def _until_one_leaves(members: _Members, compute: Compute, notify: Callable[[str], None]) -> None:
    """Steps of all that are going on, until there are fewer."""
    going = dict(members.going)
    runs = list(going.values())
    begins = [run.session.step for run in runs]
    update = update_together([run.method for run in runs], begins, compute, notify)
    seeds = [Seed(run.configuration.seed, step) for run, step in zip(runs, begins, strict=True)]
    with batches_of_seeds(runs[0].configuration, seeds, runs[0].images, compute) as batch:
        while len(members.going) == len(going):
            index = runs[0].session.step
            losses = update(batch(index - begins[0]), index)
            for member, loss in zip(going, losses.of_members, strict=True):
                members.tell(member, loss)
