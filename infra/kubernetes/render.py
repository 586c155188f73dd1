"""Renders an overlay to one stream of YAML: `python -m infra.kubernetes.render OVERLAY`.

`kubectl kustomize` gives the same; this one needs no kubectl, and refuses what of kustomize it does not know.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.kubernetes.merge import merged

Resource = dict[str, Any]
_CLUSTER_WIDE = frozenset({"Namespace"})


class RenderError(ValueError):
    """An overlay that cannot be rendered: says which file and why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Target(_Part):
    """Which resources a patch is for."""

    kind: str
    name: str | None = None
    group: str | None = None

    def fits(self, resource: Resource) -> bool:
        """Whether the patch is for this resource."""
        group = resource["apiVersion"].rpartition("/")[0]
        return (
            resource["kind"] == self.kind
            and self.name in (None, resource["metadata"]["name"])
            and self.group in (None, group)
        )


class Patch(_Part):
    """A strategic merge patch in a file."""

    path: str
    target: Target


class ImageName(_Part):
    """What stands in place of an image's name."""

    name: str
    newName: str | None = None
    newTag: str | None = None


class Kustomization(_Part):
    """The part of kustomize's file that ours use."""

    apiVersion: str
    kind: str
    namespace: str | None = None
    resources: list[str] = Field(default_factory=list)
    patches: list[Patch] = Field(default_factory=list)
    images: list[ImageName] = Field(default_factory=list)


def render(folder: Path) -> list[Resource]:
    """The resources of the kustomization in a folder, in the order of its files.

    Raises:
        RenderError: a file is missing or is not what it should be, or a patch fits nothing.
    """
    file = folder / "kustomization.yaml"
    try:
        chosen = Kustomization.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise RenderError(f"{file}: {error}") from error
    resources = [one for name in chosen.resources for one in _resources(folder / name)]
    for resource in resources:
        if chosen.namespace is not None and resource["kind"] not in _CLUSTER_WIDE:
            resource["metadata"]["namespace"] = chosen.namespace
    for patch in chosen.patches:
        resources = _patched(resources, patch, folder)
    for image in chosen.images:
        _rename(resources, image)
    return resources


def _resources(path: Path) -> Iterator[Resource]:
    if path.is_dir():
        yield from render(path)
        return
    try:
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise RenderError(f"{path}: {error}") from error


def _patched(resources: list[Resource], patch: Patch, folder: Path) -> list[Resource]:
    (change,) = _resources(folder / patch.path)
    # Who is patched keeps its name, as kustomize has it where a target is given.
    change = {name: value for name, value in change.items() if name not in ("apiVersion", "kind")}
    change["metadata"] = {name: value for name, value in change["metadata"].items() if name != "name"}
    if not any(patch.target.fits(one) for one in resources):
        raise RenderError(f"{folder / patch.path}: fits no resource")
    return [merged(one, change) if patch.target.fits(one) else one for one in resources]


def _rename(value: Any, image: ImageName) -> None:
    if isinstance(value, list):
        for one in value:
            _rename(one, image)
    elif isinstance(value, dict):
        if value.get("image") == image.name:
            tag = f":{image.newTag}" if image.newTag else ""
            value["image"] = f"{image.newName or image.name}{tag}"
        for one in value.values():
            _rename(one, image)


def main(arguments: Sequence[str]) -> int:
    """Prints the overlay; 1 with the reason when it cannot be rendered."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m infra.kubernetes.render OVERLAY\n")
        return 2
    try:
        resources = render(Path(arguments[0]))
    except RenderError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(yaml.safe_dump_all(resources, sort_keys=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
