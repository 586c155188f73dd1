"""The overlays for Kubernetes: what its published schemas take, and what every one of them keeps to."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.kubernetes.check import OVERLAYS, problems
from infra.kubernetes.merge import merged
from infra.kubernetes.render import RenderError, Resource, main, render
from infra.local.gateway import PREFIXES, TARGETS, target_of
from shared.settings import Settings

_FOLDER = OVERLAYS.parent
_NAMES = tuple(sorted(one.name for one in OVERLAYS.iterdir()))
_KNATIVE = "serving.knative.dev/v1"


@pytest.fixture(scope="module")
def overlays() -> dict[str, list[Resource]]:
    """Every overlay, rendered."""
    return {name: render(OVERLAYS / name) for name in _NAMES}


@pytest.mark.parametrize("name", _NAMES)
def test_kubernetes_takes_it(overlays: dict[str, list[Resource]], name: str) -> None:
    assert [problem for resource in overlays[name] for problem in problems(resource)] == []
    keys = [(one["apiVersion"], one["kind"], one["metadata"]["name"]) for one in overlays[name]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", ("spec", "replica"), 2),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "readOnlyRootFilesystem"), True),
        ("NetworkPolicy", ("spec", "egres"), []),
        ("CronJob", ("spec", "schedule"), 5),
        ("Ingress", ("spec", "rules", 0, "http", "paths", 0, "pathType"), None),
    ],
)
def test_a_wrong_field_is_found(
    overlays: dict[str, list[Resource]], kind: str, path: tuple[Any, ...], value: Any
) -> None:
    wrong = copy.deepcopy(next(one for one in overlays["restricted"] if one["kind"] == kind))
    _put(wrong, path, value)
    assert list(problems(wrong))


@pytest.mark.parametrize(
    "path",
    [("spec", "template", "spec", "containers", 0, "imag"), ("spec", "templates"), ("metadata", "nam")],
)
def test_a_wrong_field_of_knatives_service_is_found(
    overlays: dict[str, list[Resource]], path: tuple[Any, ...]
) -> None:
    wrong = copy.deepcopy(next(one for one in overlays["knative"] if one["apiVersion"] == _KNATIVE))
    _put(wrong, path, "x")
    assert list(problems(wrong))


@pytest.mark.parametrize("name", _NAMES)
def test_every_pod_is_held_tightly_and_its_settings_exist(
    overlays: dict[str, list[Resource]], name: str
) -> None:
    known = {field.upper() for field in Settings.model_fields} | {"FUNCTION_TARGET"}
    seen = 0
    for owner, spec in _pods(overlays[name]):
        seen += 1
        (container,) = spec["containers"]
        context = {**spec.get("securityContext", {}), **container["securityContext"]}
        assert context["runAsNonRoot"], owner
        assert context["runAsUser"] == 10001, owner
        assert container["securityContext"]["readOnlyRootFilesystem"], owner
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, owner
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, owner
        assert spec["automountServiceAccountToken"] is False, owner
        assert "memory" in container["resources"]["limits"], owner
        assert container["image"] == "registry.example.com/the0-agent:0.1.0", owner
        assert {one["name"] for one in container.get("env", [])} <= known, owner
        assert {"secretRef": {"name": "the0-agent"}} in container["envFrom"], owner
        mounts = {one["mountPath"] for one in container["volumeMounts"]}
        # The tools function of one overlay alone is loosened, and says in it why.
        loose = context["seccompProfile"]["type"] != "RuntimeDefault" or "procMount" in context
        assert loose == (owner == "Deployment/tools" and name == "sandbox"), owner
        assert not loose or spec["hostUsers"] is False
        assert "/tmp" in mounts, owner
    assert seen >= 7
    for resource in overlays[name]:
        if resource["kind"] == "ConfigMap":
            assert set(resource["data"]) <= known
    # By reference alone.
    assert not [one for one in overlays[name] if one["kind"] == "Secret"]
    assert set(yaml.safe_load((_FOLDER / "secret.example.yaml").read_text())["stringData"]) <= known


@pytest.mark.parametrize("name", _NAMES)
def test_every_function_runs_and_is_asked_what_it_answers(
    overlays: dict[str, list[Resource]], name: str
) -> None:
    serving = [spec["containers"][0] for owner, spec in _pods(overlays[name]) if _serves(owner)]
    targets = {one["value"] for container in serving for one in container.get("env", [])}
    assert targets == set(TARGETS) - ({"nats_bridge"} if name != "knative" else set())
    if name != "knative":
        assert [container for container in serving if container.get("args") == ["nats_bridge"]]
    for container in serving:
        # Asked without the stores: one that is down would have every instance started anew.
        assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
        assert container["readinessProbe"]["httpGet"]["path"] == "/health"


def test_every_deployment_of_users_grows_and_keeps_one(overlays: dict[str, list[Resource]]) -> None:
    for name in ("restricted", "sandbox"):
        found = {
            kind: {one["metadata"]["name"] for one in overlays[name] if one["kind"] == kind}
            for kind in ("Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget", "Service")
        }
        for kind in ("HorizontalPodAutoscaler", "PodDisruptionBudget", "Service"):
            assert found[kind] == found["Deployment"] - {"bridge"}


def test_users_reach_what_the_gateway_serves_and_nothing_else(overlays: dict[str, list[Resource]]) -> None:
    from functions.artifacts.routes import ROUTES as ARTIFACTS
    from functions.chat.routes import ROUTES as CHAT
    from functions.tools.routes import ROUTES as TOOLS
    from shared.web.system import SYSTEM_ROUTES

    ingress = next(one for one in overlays["sandbox"] if one["kind"] == "Ingress")
    (rule,) = ingress["spec"]["rules"]
    places = {one["path"]: one["backend"]["service"]["name"] for one in rule["http"]["paths"]}
    for prefix, target in PREFIXES:
        # What services alone may call is not let in.
        assert places.get(prefix) == (target if target not in ("events", "nats_bridge") else None)
    system = {endpoint.path for endpoint in SYSTEM_ROUTES} - {"/version"}
    for endpoint in (*CHAT, *TOOLS, *ARTIFACTS):
        served = [name for path, name in places.items() if f"{endpoint.path}/".startswith(f"{path}/")]
        assert served == ([] if endpoint.path in system else [target_of(endpoint.path)]), endpoint.path
    assert places["/ws"] == "chat"


def test_the_upkeep_of_functions_that_sleep_is_scheduled(overlays: dict[str, list[Resource]]) -> None:
    for name, expected in (("knative", {"retention", "publish", "pull"}), ("sandbox", {"retention"})):
        jobs = [one for one in overlays[name] if one["kind"] == "CronJob"]
        services = {one["metadata"]["name"] for one in overlays[name] if one["kind"] == "Service"}
        assert {one["metadata"]["name"] for one in jobs} == expected
        for job in jobs:
            (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
            command, task, _, url = container["args"]
            assert (command, task) == ("upkeep", job["metadata"]["name"])
            assert url.removeprefix("http://").partition(".the0-agent.svc.cluster.local")[0] in services


def test_a_patch_merges_as_kubernetes_merges() -> None:
    value = {"containers": [{"name": "a", "image": "x", "args": ["1", "2"]}], "keep": 1, "drop": 2}
    patch = {"containers": [{"name": "a", "args": ["3"]}, {"name": "b"}], "drop": None}
    assert merged(value, patch) == {
        "containers": [{"name": "a", "image": "x", "args": ["3"]}, {"name": "b"}],
        "keep": 1,
    }
    assert value["drop"] == 2


def test_what_is_not_known_or_fits_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "kustomization.yaml"
    head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
    file.write_text(f"{head}namePrefix: x\n")
    with pytest.raises(RenderError, match="namePrefix"):
        render(tmp_path)
    file.write_text(f"{head}resources: [none.yaml]\n")
    with pytest.raises(RenderError, match=r"none\.yaml"):
        render(tmp_path)
    (tmp_path / "patch.yaml").write_text("kind: Deployment\napiVersion: apps/v1\nmetadata: {name: x}\n")
    file.write_text(f"{head}patches: [{{path: patch.yaml, target: {{kind: Deployment}}}}]\n")
    assert main([str(tmp_path)]) == 1
    assert "fits no resource" in capsys.readouterr().err
    assert main([]) == 2


def _serves(owner: str) -> bool:
    return owner.startswith(("Deployment/", "Service/"))


def _pods(resources: list[Resource]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each pod's specification, and what makes the pods."""
    for one in resources:
        owner = f"{one['kind']}/{one['metadata']['name']}"
        if one["kind"] in ("Deployment", "Job") or one["apiVersion"] == _KNATIVE:
            yield owner, one["spec"]["template"]["spec"]
        elif one["kind"] == "CronJob":
            yield owner, one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def _put(resource: Resource, path: tuple[Any, ...], value: Any) -> None:
    inner: Any = resource
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
