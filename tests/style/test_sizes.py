"""How long things may get. A long one means a missing noun."""

from __future__ import annotations

import ast

from tests.style.source import classes, dotted, everywhere, functions, python, report

FILE_LINES = 500
FUNCTION_LINES = 60
CLASS_METHODS = 20


def test_files_are_short() -> None:
    """No Python file is longer than the cap."""
    report(
        f"A file has at most {FILE_LINES} lines: give the missing noun a module of its own.",
        [
            f"{source.path}:{lines}: {lines} lines"
            for source in everywhere()
            if (lines := source.text.count("\n")) > FILE_LINES
        ],
    )


def test_functions_are_short() -> None:
    """No function, from its `def` to its last line, is longer than the cap."""
    report(
        f"A function has at most {FUNCTION_LINES} lines.",
        [
            source.at(node, f"{node.name} has {lines} lines")
            for source in everywhere()
            for node in functions(source)
            if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES
        ],
    )


def test_classes_have_few_methods() -> None:
    """No class of the package defines more methods than the cap, leaving out properties."""
    report(
        f"A class has at most {CLASS_METHODS} methods: compose it of smaller ones.",
        [
            source.at(node, f"{node.name} has {count} methods")
            for source in python("src")
            for node in classes(source)
            if (count := _methods(node)) > CLASS_METHODS
        ],
    )


def _methods(node: ast.ClassDef) -> int:
    """How many methods a class defines; overloads count once, properties are attributes."""
    return len(
        {
            item.name
            for item in node.body
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
            and not any(
                dotted(mark).endswith(("property", ".setter")) for mark in item.decorator_list
            )
        }
    )
