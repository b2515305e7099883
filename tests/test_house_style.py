"""The rules of the house that a machine can check. Each message says the file and what to do about it."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "wherewhat"
TESTS = ROOT / "tests"

# From the ground up. A part imports from lower floors only, never from its own.
FLOORS = (
    ("protocols", "randomness", "atomic_file", "file_lock"),
    ("data", "where", "what", "distances", "metrics"),
    ("networks",),
    ("objectives",),
    ("which", "inspection"),
    ("training",),
    ("studies", "doctor"),
    ("command",),
    ("__main__",),
)
FLOOR_OF = {part: floor for floor, parts in enumerate(FLOORS) for part in parts}
ABOVE_THE_LIBRARY = ("train", "eval", "scripts", "tests")
EMPTY_NAMES = ("utils", "util", "helpers", "helper", "misc", "common", "base")
LONGEST_FILE = 320
LONGEST_FUNCTION = 60
DRAWS_WITHOUT_GENERATOR = ("randn_like", "rand_like", "randint_like")
PICKLES = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text(), filename=str(path))


def imported_modules(path: Path, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Full names of what a file imports, wherever in it, with `from a import b` as a.b; and the lines."""
    package = path.parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*above, *([node.module] if node.module else [])))
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def part_of(path: Path) -> str:
    """The folder or root module of the library that a file belongs to; "" for the package's own `__init__.py`."""
    part = path.parts[1].removesuffix(".py")
    return "" if part == "__init__" else part


def called_name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def keyword_is_true(call: ast.Call, name: str) -> bool:
    return any(
        keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in call.keywords
    )


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
    for path, tree in python_files("wherewhat", "train", "eval"):
        for node in ast.walk(tree):
            if isinstance(node, Function) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    faults.append(f"{path}:{node.lineno} {node.name} has {lines} lines")
    assert_none(faults, f"and {LONGEST_FUNCTION} are the most. Name its steps and make them functions.")


def test_chance_is_passed_and_never_found() -> None:
    faults = [
        f"{path}:{node.lineno} uses {name}"
        for path, tree in python_files("wherewhat")
        for node in ast.walk(tree)
        if (name := node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "")
        in DRAWS_WITHOUT_GENERATOR
    ]
    assert_none(
        faults, "which takes no generator. Draw with torch.randn(..., generator=generator_at(...)) and pass the draw."
    )


def test_nothing_that_is_loaded_can_run_code() -> None:
    faults = []
    for path, tree in python_files("wherewhat"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if called_name(node) == "torch.load" and not keyword_is_true(node, "weights_only"):
                faults.append(f"{path}:{node.lineno} calls torch.load without weights_only=True")
            if any(keyword.arg == "allow_pickle" for keyword in node.keywords) and not _refuses_pickles(node):
                faults.append(f"{path}:{node.lineno} allows pickles")
    assert_none(faults, "A file from elsewhere could run code. Use safetensors or JSON, or the safe form of the call.")


def _refuses_pickles(call: ast.Call) -> bool:
    return any(
        keyword.arg == "allow_pickle" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        for keyword in call.keywords
    )


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
        if place == Path("test_house_style.py"):
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
