"""What a configuration would make: every resource with its arguments, as far as they are known before.

Like `terraform plan` without a provider and without a state: what a provider says of a resource once it is
made stays an `Unknown` that names it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from infra.checks.hcl.evaluate import EvaluationError, Scope
from infra.checks.hcl.functions import CallError
from infra.checks.hcl.modules import ModuleFiles
from infra.checks.hcl.parsing import parse_file
from infra.checks.hcl.sections import CALL_META, Reader
from infra.checks.hcl.syntax import Block, Literal
from infra.checks.hcl.types import TypeMismatch, converted
from infra.checks.hcl.values import Section, Unknown, Value, path_of, text_of
from infra.checks.problem import ConfigurationProblem, Problem


@dataclass(slots=True)
class Instance:
    """One resource, or data source (`data.` before its type): its address, and what is set in it."""

    address: str
    type: str
    where: str
    values: Section


@dataclass(slots=True)
class Plan:
    """All that would be made of some values of the root's variables, and what is wrong with it."""

    given: dict[str, Value] = field(default_factory=dict)
    instances: list[Instance] = field(default_factory=list)
    outputs: dict[str, Value] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _by_address: dict[str, Instance] = field(default_factory=dict, repr=False)

    def of_type(self, *types: str) -> list[Instance]:
        """The instances of some types."""
        return [instance for instance in self.instances if instance.type in types]

    def named_by(self, reference: Value) -> Instance | None:
        """The instance that a reference is to, by its address and whatever of it is named."""
        if len(self._by_address) != len(self.instances):
            self._by_address = {each.address: each for each in self.instances}
        path = path_of(Unknown(text_of(reference)))
        while path and path not in self._by_address:
            path = path.rpartition(".")[0]
        return self._by_address.get(path)


def plan(folder: Path, modules: dict[Path, ModuleFiles], given: dict[str, Value]) -> Plan:
    """What a folder would make with some values of its variables; `modules` are it and those it calls."""
    made = Plan(given)
    module = _Module(
        made,
        modules,
        folder=folder.resolve(),
        address="",
        given=given.get,
        names=set(given),
    )
    for name in given.keys() - module.files.variables.keys():
        made.problems.append(
            Problem(module.files.shown, f"there is no variable {name} that a value could be for")
        )
    module.make_all()
    made.outputs = {name: module.output(name) for name in module.files.outputs}
    return made


def read_values(path: Path, shown: str) -> dict[str, Value]:
    """The values of a .tfvars file.

    Raises:
        ConfigurationProblem: it cannot be read, or holds more than plain values.
    """
    block = parse_file(path, shown)
    scope = Scope(_NoNames())
    try:
        return {name: scope.evaluate(value) for name, value in block.attributes.items()}
    except EvaluationError as error:
        raise ConfigurationProblem(shown, str(error)) from error


class _NoNames:
    def value(self, name: str) -> Value:
        raise EvaluationError(f"{name} means nothing in a file of values")

    def read(self, function: str, arguments: list[Value]) -> Value:
        raise EvaluationError(f"{function} is not for a file of values")


class _Members:
    """A first word whose members are worked out when they are asked for."""

    def __init__(self, member: Callable[[str], Value]) -> None:
        self.member = member


class _Module:
    """A module as it is called once; every part has its value once, on first use."""

    def __init__(
        self,
        made: Plan,
        modules: dict[Path, ModuleFiles],
        *,
        folder: Path,
        address: str,
        given: Callable[[str], Value],
        names: set[str],
    ) -> None:
        self.files = modules[folder]
        self._made, self._modules = made, modules
        self._prefix = f"{address}." if address else ""
        self._given, self._names = given, names
        self._values: dict[tuple[str, ...], Value] = {}
        self._under_way: set[tuple[str, ...]] = set()
        self._called: list[_Module] = []
        self._reader = Reader(made.problems)
        self._scope = Scope(self)

    def make_all(self) -> None:
        """Works out everything in this module and in those it calls."""
        for name in self.files.variables:
            self._variable(name)
        for name in self.files.local_values:
            self._local(name)
        for mode, kind, name in self.files.resources:
            self._resource(mode, kind, name)
        for name in self.files.calls:
            self._call(name)
        for name in self.files.outputs:
            self.output(name)
        for module in self._called:
            module.make_all()

    def value(self, name: str) -> Value:
        """What a first word means here."""
        words: dict[str, Callable[[str], Value]] = {
            "var": self._variable,
            "local": self._local,
            "module": self._outputs_of,
            "path": lambda which: str(self.files.folder),
            "terraform": lambda which: "default",
            "data": lambda kind: _Members(lambda each: self._resource("data", kind, each)),
        }
        if name in words:
            return _Members(words[name])
        if any(kind == name for _, kind, _ in self.files.resources):
            return _Members(lambda each: self._resource("resource", name, each))
        raise EvaluationError(f"{name} means nothing here")

    def read(self, function: str, arguments: list[Value]) -> Value:
        """What a function that reads files answers; the hash of a file that is not there is unknown."""
        path = self.files.folder / str(arguments[0])
        if isinstance(arguments[0], Unknown):
            return Unknown(f"${{{function}({arguments[0]})}}")
        if function == "fileexists":
            return path.is_file()
        digest = function.removeprefix("file") if function in {"filesha256", "filemd5"} else ""
        if digest and path.is_file():
            return hashlib.new(digest, path.read_bytes(), usedforsecurity=False).hexdigest()
        if digest:
            return Unknown(f"${{{function}({path.name})}}")
        if function == "file" and path.is_file():
            return path.read_text(encoding="utf-8")
        raise CallError(f"{function}: there is no {path.name}, or the checks do not know the function")

    def output(self, name: str) -> Value:
        """The value of an output."""
        block = self.files.outputs.get(name)
        if block is None:
            raise EvaluationError(f"the module has no output {name}")
        value = block.attributes["value"]
        return self._once(("output", name), lambda: self._reader.value(value, block.where, self._scope))

    def _once(self, key: tuple[str, ...], work: Callable[[], Value]) -> Value:
        if key not in self._values:
            if key in self._under_way:
                raise EvaluationError(f"{self._prefix}{'.'.join(key)} depends on itself")
            self._under_way.add(key)
            try:
                self._values[key] = work()
            finally:
                self._under_way.discard(key)
        return self._values[key]

    def _variable(self, name: str) -> Value:
        if name not in self.files.variables:
            raise EvaluationError(f"there is no variable {name}")
        return self._once(("var", name), lambda: self._given_or_default(name, self.files.variables[name]))

    def _given_or_default(self, name: str, block: Block) -> Value:
        default, kind = block.attributes.get("default"), block.attributes.get("type")
        value = self._given(name) if name in self._names else None
        if value is None and default is not None:
            value = self._reader.value(default, block.where, self._scope)
        elif name not in self._names:
            self._reader.wrong(block.where, f"{self._prefix}var.{name} is not given")
            return Unknown(f"${{var.{name}}}")
        if kind is not None:
            try:
                value = converted(value, kind, self._scope, strict=not self._prefix)
            except TypeMismatch as error:
                self._reader.wrong(block.where, f"{self._prefix}var.{name}: {error}")
        if value is None and block.attributes.get("nullable") == Literal(False):
            self._reader.wrong(block.where, f"{self._prefix}var.{name} takes no null")
        itself = self._scope.binding(
            var=_Members(lambda each: value if each == name else self._variable(each))
        )
        self._reader.rules(block.of_kind("validation"), itself, f"{self._prefix}var.{name}: ")
        return value

    def _local(self, name: str) -> Value:
        if name not in self.files.local_values:
            raise EvaluationError(f"there is no local.{name}")
        expression, where = self.files.local_values[name]
        return self._once(("local", name), lambda: self._reader.value(expression, where, self._scope))

    def _resource(self, mode: str, kind: str, name: str) -> Value:
        block = self.files.resources.get((mode, kind, name))
        full = f"data.{kind}" if mode == "data" else kind
        if block is None:
            raise EvaluationError(f"there is no {full}.{name}")

        def make(address: str, scope: Scope) -> Section:
            section = self._reader.section(block, address, scope)
            self._made.instances.append(Instance(address, full, block.where, section))
            return section

        address = f"{self._prefix}{full}.{name}"
        return self._once(
            (mode, kind, name), lambda: self._reader.repeated(block, address, self._scope, make)
        )

    def _outputs_of(self, name: str) -> Value:
        made = self._call(name)
        if isinstance(made, dict):
            return {key: _Members(module.output) for key, module in made.items()}
        return (
            [_Members(module.output) for module in made] if isinstance(made, list) else _Members(made.output)
        )

    def _call(self, name: str) -> Value:
        block = self.files.calls.get(name)
        if block is None:
            raise EvaluationError(f"there is no module {name}")
        folder = self.files.called(block)

        def make(address: str, scope: Scope) -> _Module:
            def given(argument: str) -> Value:
                return self._reader.value(block.attributes[argument], block.places[argument], scope)

            names = set(block.attributes) - CALL_META
            self._called.append(
                _Module(self._made, self._modules, folder=folder, address=address, given=given, names=names)
            )
            return self._called[-1]

        address = f"{self._prefix}module.{name}"
        return self._once(("module", name), lambda: self._reader.repeated(block, address, self._scope, make))
