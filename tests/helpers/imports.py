"""Which module of ours imports which, read from the source; imports within functions count."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Graph = Mapping[str, frozenset[str]]


def modules_imported(root: Path) -> Graph:
    """What each module below a folder imports of the others; imports for types alone left out."""
    files = {_module_name(path.relative_to(root)): path for path in root.rglob("*.py")}
    return {
        name: frozenset(set(_imports(name, path, files.keys())) - {name})
        for name, path in files.items()
    }


def packages_imported(modules: Graph) -> Graph:
    """What each package right below the topmost one imports of the others."""
    packages: dict[str, set[str]] = {}
    for name, imported in modules.items():
        found = packages.setdefault(_package(name), set())
        found |= {_package(one) for one in imported} - {_package(name)}
    return {name: frozenset(imported) for name, imported in packages.items()}


def cycles(graph: Graph) -> list[frozenset[str]]:
    """The sets of nodes that all reach each other."""
    reached = {node: _reached_from(node, graph) for node in graph}
    return list(
        {
            frozenset(other for other in reached[node] if node in reached[other])
            for node in graph
            if node in reached[node]
        }
    )


def _reached_from(start: str, graph: Graph) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        new = graph[waiting.pop()] - reached
        reached |= new
        waiting += new
    return reached


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _package(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _imports(name: str, path: Path, known: Iterable[str]) -> Iterator[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _run_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            outer = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(outer if node.level else []), *filter(None, [node.module])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                if inner in known or base in known:
                    yield inner if inner in known else base


def _run_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a module but for what stands under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _run_nodes(node)
