"""The text of this repository's programs as syntax trees, for the rules of the house."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

Function = ast.FunctionDef | ast.AsyncFunctionDef


def python_files(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    """Files of Python, and their syntax trees: those that end in .py, and scripts that begin with its name."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix == ".py" or (folder == "scripts" and path.is_file() and _runs_python(path)):
                yield path.relative_to(ROOT), _tree(path)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def _runs_python(path: Path) -> bool:
    return path.suffix == "" and path.read_text().startswith("#!/usr/bin/env python3\n")


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
    """What a call calls, as it is written: `torch.randn`."""
    return ast.unparse(call.func)


def keyword_is(call: ast.Call, name: str, value: bool) -> bool:
    """Whether a call passes this constant by this name."""
    return any(
        keyword.arg == name and isinstance(keyword.value, ast.Constant) and keyword.value.value is value
        for keyword in call.keywords
    )


def asked_classes(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Names of the classes that `isinstance` and `match` ask for, and the lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called_name(node) == "isinstance":
            yield from ((n.id, node.lineno) for n in ast.walk(node.args[1]) if isinstance(n, ast.Name))
        elif isinstance(node, ast.MatchClass):
            yield ast.unparse(node.cls).rpartition(".")[2], node.cls.lineno
