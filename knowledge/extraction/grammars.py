"""Grammars of programming languages, each loaded when the first file of its language is read."""

import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from tree_sitter import Language, Node

# Language: its module, and the function in it.
GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "csharp": ("tree_sitter_c_sharp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "python": ("tree_sitter_python", "language"),
    "ruby": ("tree_sitter_ruby", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
}
DEEPEST = 60  # nodes between a definition and one inside it
LONGEST_NAME = 80
_DEFINITION = re.compile(
    r"(?:(?:abstract_)?class|(?:generator_)?function|method|constructor|struct|enum|union|interface"
    r"|trait|impl|mod|namespace|record|internal)_(?:definition|declaration|item|specifier|module)"
    r"|class|module|method|singleton_method|type_spec"
)
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "class"})
# What stands around a definition and is read with it.
_AROUND = frozenset({
    "decorated_definition", "export_statement", "template_declaration", "type_declaration",
    "lexical_declaration", "variable_declaration", "expression_statement", "ambient_declaration",
})  # fmt: skip
_NOTES = frozenset({"comment", "line_comment", "block_comment", "attribute_item"})


@cache
def find_grammar(language: str) -> Language | None:
    """None for a language without one."""
    if language not in GRAMMARS:
        return None
    module, function = GRAMMARS[language]
    return Language(getattr(import_module(module), function)())


def definitions(node: Node, depth: int = 0) -> Iterator[tuple[Node, Node]]:
    """The outermost functions, classes and the like inside a node; before each, what is read with
    it."""
    for child in node.named_children:
        if (inner := _definition_in(child)) is not None:
            yield child, inner
        elif child.start_point.row < child.end_point.row and depth < DEEPEST:
            yield from definitions(child, depth + 1)


def _definition_in(node: Node) -> Node | None:
    if _DEFINITION.fullmatch(node.type):
        return node
    if node.type == "variable_declarator":
        value = node.child_by_field_name("value")
        return node if value is not None and value.type in _FUNCTIONS else None
    if node.type not in _AROUND:
        return None
    inner = (_definition_in(child) for child in node.named_children)
    return next((found for found in inner if found is not None), None)


def name_of(node: Node) -> str:
    """What a definition is called; its first line where it has no name."""
    place: Node | None = node
    while place is not None:
        if (named := place.child_by_field_name("name")) is not None:
            return _said(named)
        below = place.child_by_field_name("declarator")
        if below is None and place is not node:
            return _said(place)
        place = below
    return _said(node.child_by_field_name("type") or node)


def first_row(node: Node) -> int:
    """Where its first line is, with the comments directly above it."""
    row: int = node.start_point.row
    above = node.prev_sibling
    while above is not None and above.type in _NOTES and above.end_point.row in {row - 1, row}:
        row = above.start_point.row
        above = above.prev_sibling
    return row


def _said(node: Node) -> str:
    text = (node.text or b"").decode(errors="replace").strip()
    return text.partition("\n")[0][:LONGEST_NAME].strip()
