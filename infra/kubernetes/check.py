"""Whether Kubernetes would take the resources: its published schemas, and for Knative a model of what we use.

`python -m infra.kubernetes.check` checks every overlay. Knative's definition is not in the package of
schemas: its pod template is checked as a pod by Kubernetes' own, the rest by the models below.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

# The package has no type information.
import kubernetes_validate  # type: ignore[import-untyped]
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.kubernetes.render import RenderError, Resource, render

OVERLAYS = Path(__file__).with_name("overlays")
# The oldest that runs pods in user namespaces by default; newer ones take the same.
VERSION = "1.33.0"
_KNATIVE = "serving.knative.dev/v1"
# Source: Knative's runtime contract and its API reference, RevisionSpec.
_REVISION_FIELDS = (
    "containerConcurrency",
    "timeoutSeconds",
    "idleTimeoutSeconds",
    "responseStartTimeoutSeconds",
)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Meta(_Part):
    name: str
    namespace: str
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class _RevisionMeta(_Part):
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)


class _Template(_Part):
    metadata: _RevisionMeta
    spec: dict[str, Any]


class _Spec(_Part):
    template: _Template


class KnativeService(_Part):
    """A Service of Knative, as far as ours use it."""

    apiVersion: Literal["serving.knative.dev/v1"]
    kind: Literal["Service"]
    metadata: _Meta
    spec: _Spec


def problems(resource: Resource) -> Iterator[str]:
    """What is wrong with a resource, nothing when all is well."""
    name = f"{resource.get('kind')}/{resource.get('metadata', {}).get('name')}"
    try:
        if resource.get("apiVersion") == _KNATIVE:
            KnativeService.model_validate(resource)
            kubernetes_validate.validate(_pod(resource), VERSION, strict=True)
        else:
            kubernetes_validate.validate(resource, VERSION, strict=True)
    except (
        kubernetes_validate.ValidationError,
        kubernetes_validate.SchemaNotFoundError,
        ValidationError,
    ) as error:
        yield f"{name}: {error}"


def _pod(service: Resource) -> Resource:
    """The pods that Knative makes of a service, as a pod."""
    template = service["spec"]["template"]
    spec = {name: value for name, value in template["spec"].items() if name not in _REVISION_FIELDS}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "revision"}, "spec": spec}


def main() -> int:
    """Checks every overlay; 0 when Kubernetes would take them all."""
    wrong = 0
    for overlay in sorted(OVERLAYS.iterdir()):
        try:
            resources = render(overlay)
        except RenderError as error:
            wrong += 1
            sys.stderr.write(f"{error}\n")
            continue
        for resource in resources:
            for problem in problems(resource):
                wrong += 1
                sys.stderr.write(f"{overlay.name}: {problem}\n")
        sys.stdout.write(f"{overlay.name}: {len(resources)} resources\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
