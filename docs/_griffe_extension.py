"""What the documentation, which reads the sources without importing them, must be told.

1. The names that a package's `__init__` imports from its modules are its public names.
2. The fields of an `equinox.Module` are the arguments of its constructor: equinox modules
   are dataclasses by inheritance, and the reader knows only of the decorator.
"""

from collections.abc import Iterator

from griffe import (
    Attribute,
    Class,
    ExprCall,
    Extension,
    Function,
    Module,
    Parameter,
    ParameterKind,
    Parameters,
)

FIELD_CALLS = {"equinox.field", "dataclasses.field"}


class PublicNamesAndModules(Extension):
    """Export re-exported names; give equinox modules the constructor that they inherit."""

    def on_package(self, *, pkg: Module, **kwargs: object) -> None:
        """Visit a package once it has been read whole."""
        for package in _packages(pkg):
            package.exports = [
                name
                for name, member in package.members.items()
                if member.is_alias and member.target_path.startswith(f"{package.path}.")
            ]
        for cls in _classes(pkg):
            if "__init__" not in cls.members and _is_equinox_module(cls):
                cls.set_member("__init__", _constructor(cls))


def _packages(module: Module) -> Iterator[Module]:
    if module.is_init_module:
        yield module
    for child in module.modules.values():
        if not child.is_alias:
            yield from _packages(child)


def _classes(scope: Module | Class) -> Iterator[Class]:
    for member in scope.members.values():
        if member.is_alias:
            continue
        if isinstance(member, Class):
            yield member
        if isinstance(member, Module | Class):
            yield from _classes(member)


def _is_equinox_module(cls: Class) -> bool:
    bases = {getattr(base, "canonical_path", base) for base in cls.bases}
    return "equinox.Module" in bases or any(_is_equinox_module(base) for base in _parents(cls))


def _parents(cls: Class) -> list[Class]:
    return [base for base in cls.resolved_bases if base.is_class]


def _constructor(cls: Class) -> Function:
    fields = list(_fields(cls).values())
    fields.sort(key=lambda field: field.kind is ParameterKind.keyword_only)
    itself = Parameter("self", kind=ParameterKind.positional_or_keyword)
    return Function("__init__", parent=cls, parameters=Parameters(itself, *fields))


def _fields(cls: Class) -> dict[str, Parameter]:
    found: dict[str, Parameter] = {}
    for parent in reversed(_parents(cls)):
        found |= _fields(parent)
    for member in cls.members.values():
        if isinstance(member, Attribute) and (field := _field(member)):
            found[member.name] = field
    return found


def _field(attribute: Attribute) -> Parameter | None:
    """The constructor's argument for a field; None for a class variable or a property."""
    labels = attribute.labels
    is_class_variable = "class-attribute" in labels and "instance-attribute" not in labels
    if attribute.annotation is None or "property" in labels or is_class_variable:
        return None
    kind, default = ParameterKind.positional_or_keyword, attribute.value
    if isinstance(default, ExprCall) and default.canonical_path in FIELD_CALLS:
        options = {getattr(item, "name", ""): item.value for item in default.arguments}
        if str(options.get("init")) == "False":
            return None
        if str(options.get("kw_only")) == "True":
            kind = ParameterKind.keyword_only
        default = options.get("default")
        if "default_factory" in options:
            default = ExprCall(options["default_factory"], [])
    return Parameter(attribute.name, annotation=attribute.annotation, kind=kind, default=default)
