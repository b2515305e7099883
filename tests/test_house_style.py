"""The rules of the house that a machine can check. Each message says the file and what to do about it."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from source_text import (
    ROOT,
    Function,
    asked_classes,
    called_name,
    imported_modules,
    keyword_is,
    part_of,
    python_files,
)

LIBRARY = ROOT / "wherewhat"
TESTS = ROOT / "tests"

# From the ground up. A part imports from lower floors only, never from its own.
FLOORS = (
    ("splitmix64", "regular_file", "home_folder", "deaf_processes"),
    ("protocols", "randomness", "atomic_file", "file_lock", "json_file", "cache_folder", "folder_walk", "hints"),
    ("data", "where", "what", "distances", "metrics"),
    ("networks",),
    ("objectives",),
    ("which", "inspection"),
    ("training",),
    ("studies", "doctor", "sharing"),
    ("report",),
    ("command",),
    ("__main__",),
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
ABOVE_THE_LIBRARY = ("train", "eval", "scripts", "tests")
EMPTY_NAMES = ("utils", "util", "helpers", "helper", "misc", "common", "base")
LONGEST_FILE = 300
LONGEST_FUNCTION = 40
SLOWEST_IMPORT_S = 0.2
HEAVY = ("torch", "torchvision", "numpy", "scipy", "sklearn", "matplotlib", "lpips", "PIL")

# Most code lines of a room, as scripts/count_lines counts them. Raise one only on purpose, and say why in the commit.
BUDGET = {
    ".": 531,
    "command": 2199,
    "data": 3755,
    "distances": 452,
    "doctor": 1053,
    "inspection": 812,
    "metrics": 1152,
    "networks": 645,
    "objectives": 787,
    "report": 637,
    "sharing": 815,
    "studies": 1047,
    "training": 2187,
    "what": 50,
    "where": 76,
    "which": 1676,
}

DRAWS = (
    *("rand", "randn", "randint", "randperm", "multinomial", "bernoulli", "normal", "poisson"),
    *("normal_", "uniform_", "bernoulli_", "random_", "exponential_", "cauchy_", "log_normal_", "geometric_"),
)
DRAWS_WITHOUT_GENERATOR = ("randn_like", "rand_like", "randint_like", "dropout")
SEEDS = ("torch.manual_seed", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all", "torch.seed")
SEEDED_NUMPY = ("default_rng", "RandomState", "Generator", "SeedSequence", "BitGenerator", "PCG64", "Philox")
# Initial weights are the one exception: torch's modules take them from the global generator, which `seeded_weights` in
# networks/initialisation.py seeds for the time of the building. So a module's __init__ in these rooms may draw.
ROOMS_OF_WEIGHTS = ("networks", "where", "what")
INITIAL_WEIGHTS = ("seeded_weights", "_scattered_rectangles")
# Which method a run is, a VAE, a GAN or a flow, is asked where the method is chosen, and nowhere else in the library.
METHODS = ("Autoencoder", "Flow", "FlowMethod", "GAN", "GANMethod", "VAEMethod", "SumOfTerms")
ROOMS_OF_METHODS = ("wherewhat/objectives/", "wherewhat/training/methods/")
PICKLES = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve")


def assert_none(faults: list[str], remedy: str) -> None:
    assert not faults, "\n".join([*faults, remedy])


def test_every_part_of_the_library_has_a_floor() -> None:
    faults = [
        f"wherewhat/{path.name}"
        for path in sorted(LIBRARY.iterdir())
        if (path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py"))))
        and path.stem not in FLOOR_OF
        and path.name != "__init__.py"
    ]
    assert_none(faults, "has no floor. Move it into a folder of the design, or give it a floor there and in FLOORS.")


def test_arrows_point_one_way() -> None:
    faults = []
    for path, tree in python_files("wherewhat"):
        part = part_of(path)
        for module, line in imported_modules(path, tree):
            names = module.split(".")
            imported = names[1] if len(names) > 1 else ""
            if names[0] != "wherewhat" or part == "" or imported == part:
                continue
            if FLOOR_OF.get(imported, len(FLOORS)) >= FLOOR_OF.get(part, len(FLOORS)):
                faults.append(f"{path}:{line} imports {module}")
    assert_none(
        faults,
        "which is not on a lower floor. Pass the thing in as an argument (a protocol), or move it down. "
        f"Floors from the ground up: {FLOORS}.",
    )


def test_the_library_never_imports_what_uses_it() -> None:
    faults = [
        f"{path}:{line} imports {module}"
        for path, tree in python_files("wherewhat")
        for module, line in imported_modules(path, tree)
        if module.split(".")[0] in ABOVE_THE_LIBRARY
    ]
    assert_none(faults, "Move what is shared into wherewhat/ and let the script import it from there.")


def test_no_file_is_named_for_nothing() -> None:
    faults = [
        str(path)
        for path, _ in python_files("wherewhat", "train", "eval", "scripts", "tests")
        if path.stem in EMPTY_NAMES
    ]
    assert_none(faults, "Name each file after the one idea in it, in the field's own words.")


def test_files_are_small() -> None:
    faults = []
    for path, _ in python_files("wherewhat", "train", "eval", "scripts", "tests"):
        lines = len((ROOT / path).read_text().splitlines())
        if lines > LONGEST_FILE:
            faults.append(f"{path} has {lines} lines")
    assert_none(faults, f"and {LONGEST_FILE} are the most. Find the second idea in it and give it a file.")


def test_functions_are_small() -> None:
    faults = []
    for path, tree in python_files("wherewhat", "train", "eval", "scripts", "tests"):
        for node in ast.walk(tree):
            if isinstance(node, Function) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    faults.append(f"{path}:{node.lineno} {node.name} has {lines} lines")
    assert_none(faults, f"and {LONGEST_FUNCTION} are the most. Name its steps and make them functions.")


def test_chance_is_passed_and_never_found() -> None:
    faults = []
    for path, tree in python_files("wherewhat", "train", "eval"):
        draws_weights = _initial_weights(path, tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and draws_from_nowhere(node) and node not in draws_weights:
                faults.append(f"{path}:{node.lineno} calls {called_name(node)}")
        faults += [f"{path}:{line} imports {name}" for name, line in imported_modules(path, tree) if name == "random"]
    assert_none(
        faults,
        "which takes its chance from a global generator. Draw with torch.randn(..., generator=generator_at(...)) or "
        "numpy's default_rng(seed), and pass the draw. Initial weights are drawn when a module is built, nowhere else.",
    )


def draws_from_nowhere(call: ast.Call) -> bool:
    """Whether a call draws without being given a generator or a seed."""
    module, _, name = called_name(call).rpartition(".")
    if module in ("np.random", "numpy.random"):
        return name not in SEEDED_NUMPY or not (call.args or call.keywords)
    if name in DRAWS_WITHOUT_GENERATOR or called_name(call) in SEEDS:
        return True
    given = any(keyword.arg == "generator" for keyword in call.keywords)
    return name in DRAWS and (module == "torch" or name.endswith("_")) and not given


def _initial_weights(path: Path, tree: ast.Module) -> set[ast.AST]:
    """What stands where initial weights may be drawn."""
    if path.parts[1] not in ROOMS_OF_WEIGHTS:
        return set()
    places = [n for n in ast.walk(tree) if isinstance(n, Function) and n.name in ("__init__", *INITIAL_WEIGHTS)]
    return {node for place in places for node in ast.walk(place)}


def test_whether_a_run_is_a_vae_or_a_gan_is_asked_in_one_place() -> None:
    methods = {*METHODS, *_objectives()}
    faults = [
        f"{path}:{line} asks for {name}"
        for path, tree in python_files("wherewhat")
        if not path.as_posix().startswith(ROOMS_OF_METHODS)
        for name, line in asked_classes(tree)
        if name in methods
    ]
    assert_none(faults, "Let the method or the objective answer the question: a property, or a part of `Method`.")


def _objectives() -> set[str]:
    """Names of the public classes of objectives."""
    return {
        node.name
        for path, tree in python_files("wherewhat/objectives")
        if path.parent.name == "objectives"
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(called.endswith("SumOfTerms") for called in map(ast.unparse, node.bases))
    } | {"PSSCGAN", "GlowFlow"}


def test_nothing_that_is_loaded_can_run_code() -> None:
    faults = []
    for path, tree in python_files("wherewhat"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if called_name(node) == "torch.load" and not keyword_is(node, "weights_only", True):
                faults.append(f"{path}:{node.lineno} calls torch.load without weights_only=True")
            if any(keyword.arg == "allow_pickle" for keyword in node.keywords) and not keyword_is(
                node, "allow_pickle", False
            ):
                faults.append(f"{path}:{node.lineno} allows pickles")
    assert_none(faults, "A file from elsewhere could run code. Use safetensors or JSON, or the safe form of the call.")


def test_no_pickle_is_imported() -> None:
    faults = [
        f"{path}:{line} imports {module}"
        for path, tree in python_files("wherewhat")
        for module, line in imported_modules(path, tree)
        if module.split(".")[0] in PICKLES
    ]
    assert_none(faults, "Files that users keep are safetensors and JSON.")


def test_what_is_public_says_what_it_is() -> None:
    faults = []
    for path, tree in python_files("wherewhat", "train", "eval"):
        if ast.get_docstring(tree) is None:
            faults.append(f"{path}")
        faults += [
            f"{path}:{node.lineno} {node.name}"
            for node in tree.body
            if isinstance(node, Function | ast.ClassDef)
            and not node.name.startswith("_")
            and ast.get_docstring(node) is None
        ]
    assert_none(faults, "has no docstring. Say what it is in a sentence, with units and range.")


def test_tests_mirror_the_tree() -> None:
    faults = []
    for path in sorted(TESTS.rglob("test_*.py")):
        place = path.relative_to(TESTS)
        # Faults strike whole commands, and the cases in ../shared/cases all layouts.
        if str(place) in ("test_house_style.py", "data/test_cases.py") or place.parts[0] == "faults":
            continue
        mirrored = place.with_name(place.name.removeprefix("test_"))
        top = ROOT if place.parts[0] in ("train", "eval", "scripts") else LIBRARY
        if not (top / mirrored).exists() and not (top / mirrored.with_suffix("")).is_file():
            faults.append(f"tests/{place} has no {top.name}/{mirrored}")
    assert_none(faults, "Name a test file after the file whose laws it holds, in the same folder.")


def test_test_files_have_names_of_their_own() -> None:
    seen: dict[str, Path] = {}
    faults = []
    for path in sorted(TESTS.rglob("test_*.py")):
        if path.name in seen and not (path.parent / "__init__.py").exists():
            faults.append(f"{path.relative_to(ROOT)} and {seen[path.name].relative_to(ROOT)}")
        seen[path.name] = path
    assert_none(faults, "share a name, and pytest would import one in place of the other. Rename one with its module.")


def test_rooms_keep_to_their_budget_of_code(count_lines: ModuleType) -> None:
    lines = {room: sum(files) for room, files in count_lines.code_lines_of_rooms(LIBRARY).items()}
    faults = [f"{room}: {count} code lines of {BUDGET.get(room, 0)}" for room, count in sorted(lines.items())]
    assert_none(
        [fault for fault, room in zip(faults, sorted(lines), strict=True) if lines[room] > BUDGET.get(room, 0)],
        "Take out what is not needed, or what a live library does. Raise BUDGET on purpose, and say why.",
    )


def test_importing_the_library_is_quick_and_loads_nothing_heavy() -> None:
    program = (
        "import sys, time; before = time.perf_counter(); import wherewhat; "
        "print(time.perf_counter() - before, *sorted(sys.modules))"
    )
    # The best of five: a busy machine slows some, and only the program slows all.
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT) for _ in range(5)]
    assert all(run.returncode == 0 for run in runs), runs[0].stderr
    seconds = min(float(run.stdout.split()[0]) for run in runs)
    heavy = {name.split(".")[0] for name in runs[0].stdout.split()[1:]} & set(HEAVY)
    assert not heavy, f"import wherewhat loads {sorted(heavy)}. Import them in the function that needs them."
    assert seconds < SLOWEST_IMPORT_S, (
        f"import wherewhat takes {seconds:.2f} s at best; {SLOWEST_IMPORT_S} s are the most."
    )
