"""Names, required arguments and types against the provider's schema; references; the table itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.checks.references import check_references
from infra.checks.schema import check_names, check_types
from infra.checks.tables import make, schema, table_of
from tests.infra.checks.conftest import Planned, Write

BUCKET = """
resource "google_storage_bucket" "b" {
  name     = "n"
  location = "EU"
  %s
}
"""


DYNAMIC = """
dynamic "lifecycle_rule" {
  for_each = []
  content {
    action { %s }
    condition {}
  }
}
"""


@pytest.mark.parametrize(
    ("inside", "told"),
    [
        ("labels = {}", None),
        ("versioning {\n enabled = true\n}", None),
        (
            DYNAMIC % 'type = "Delete"',
            None,
        ),
        ("lifecycle {\n ignore_changes = [labels]\n}", None),
        ('timeouts {\n create = "1m"\n}', None),
        ("force_destory = true", "google_storage_bucket has no argument force_destory, but force_destroy"),
        ('self_link = "x"', "google_storage_bucket.self_link is the provider's to set"),
        ("versioning = { enabled = true }", "google_storage_bucket.versioning is a block"),
        (
            "versionning {\n enabled = true\n}",
            "google_storage_bucket has no block versionning, but versioning",
        ),
        ("versioning {}", "google_storage_bucket.versioning lacks the argument enabled"),
        ("versioning {\n enabled = true\n}\nversioning {\n enabled = true\n}", "takes one block versioning"),
        ("lifecycle_rule {\n condition {}\n}", "google_storage_bucket.lifecycle_rule lacks the block action"),
        (
            DYNAMIC % 'typ = "x"',
            "has no argument typ",
        ),
        ('dynamic "versioning" {\n content {\n enabled = true\n}\n}', "dynamic takes for_each"),
        ("lifecycle {\n ignore_changes = [lables]\n}", "no argument lables to ignore"),
        ("lifecycle {\n prevent_destruction = true\n}", "lifecycle has no argument prevent_destruction"),
    ],
)
def test_names_are_the_providers(write: Write, inside: str, told: str | None) -> None:
    modules = write(BUCKET % inside)

    problems = [str(problem) for problem in check_names(modules.values(), schema())]

    assert problems == [] if told is None else any(told in problem for problem in problems)


def test_required_arguments_and_known_resources(write: Write) -> None:
    modules = write(
        'resource "google_storage_bucket" "b" {\n  name = "n"\n}\n'
        'resource "google_storage_buckett" "c" {}\ndata "google_projects" "d" {}\n'
    )

    problems = [str(problem) for problem in check_names(modules.values(), schema())]

    assert [problem.split(": ", 1)[0].split("/")[-1] for problem in problems] == [
        "main.tf:1",
        "main.tf:4",
        "main.tf:5",
    ]
    assert "lacks the argument location" in problems[0]
    assert "resource google_storage_buckett is not in provider_schema.json" in problems[1]
    assert "data google_projects is not in provider_schema.json" in problems[2]


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("timeout_seconds = 60", None),
        ('timeout_seconds = "60"', None),
        ("available_cpu = 1", None),
        ('timeout_seconds = "sixty"', "service_config[0].timeout_seconds takes a number, and is 'sixty'"),
        ('all_traffic_on_latest_revision = "yes"', "takes a bool"),
        ("environment_variables = { A = [] }", "takes a map(string)"),
        ('available_memory = ["1Gi"]', "takes a string"),
    ],
)
def test_planned_values_are_of_their_types(planned: Planned, argument: str, told: str | None) -> None:
    made = planned(
        'resource "google_cloudfunctions2_function" "f" {\n  name = "n"\n  location = "l"\n'
        f"  service_config {{\n    {argument}\n  }}\n}}\n"
    )

    problems = [str(problem) for problem in check_types(made, schema())]

    assert problems == [] if told is None else any(told in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('output "x" {\n  value = var.missing\n  description = ""\n}', "there is no var.missing"),
        ('output "x" {\n  value = "a-${local.missing}"\n  description = ""\n}', "there is no local.missing"),
        ('output "x" {\n  value = module.missing.y\n  description = ""\n}', "there is no module missing"),
        (
            'output "x" {\n  value = module.part.missing\n  description = ""\n}',
            "module part has no output missing",
        ),
        ('output "x" {\n  value = module.part["a"].id\n  description = ""\n}', None),
        (
            'output "x" {\n  value = google_pubsub_topic.missing.id\n  description = ""\n}',
            "no google_pubsub_topic.missing",
        ),
        (
            'output "x" {\n  value = google_pubsub_topic.t.idd\n  description = ""\n}',
            "google_pubsub_topic.t has no attribute idd",
        ),
        ('output "x" {\n  value = google_pubsub_topic.t.labels["x"]\n  description = ""\n}', None),
        ('output "x" {\n  value = [for t in google_pubsub_topic.t : t.id]\n  description = ""\n}', None),
        (
            'output "x" {\n  value = google_storage_bucket.t.id\n  description = ""\n}',
            "google_storage_bucket.t.id is not declared",
        ),
        ('output "x" {\n  value = lenght([])\n  description = ""\n}', "do not know the function lenght"),
        ('output "x" {\n  value = 1\n}', "output x has no description"),
        ('variable "x" {\n  type = string\n  description = ""\n}', "var.x is not used"),
        ("locals {\n  x = 1\n}", "local.x is not used"),
        ('variable "x" {\n  description = ""\n}\nlocals {\n  y = var.x\n}', "variable x has no type"),
    ],
)
def test_references_mean_something(write: Write, text: str, told: str | None) -> None:
    modules = write(
        'module "part" {\n  source = "./part"\n}\nresource "google_pubsub_topic" "t" {\n  name = "n"\n}\n'
        + text
        + "\n",
        part='output "id" {\n  value = 1\n  description = ""\n}\n',
    )

    problems = [str(problem) for problem in check_references(modules, schema())]

    assert problems == [] if told is None else any(told in problem for problem in problems)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("size = 1", None),
        ("", "module part lacks its variable size"),
        ("size = 1\n  sise = 2", "module part has no variable sise"),
    ],
)
def test_a_module_is_given_its_variables(write: Write, arguments: str, told: str | None) -> None:
    modules = write(
        f'module "part" {{\n  source = "./part"\n  {arguments}\n}}\n',
        part='variable "size" {\n  type = number\n  description = ""\n}\n'
        'output "x" {\n  value = var.size\n  description = ""\n}\n',
    )

    problems = [str(problem) for problem in check_references(modules, schema())]

    assert problems == [] if told is None else any(told in problem for problem in problems)


LINK = "https://registry.terraform.io/providers/hashicorp/google/6.50.0/docs/resources/pubsub_topic#"
DECLARED = """
export interface PubsubTopicConfig extends cdktf.TerraformMetaArguments {
    /**
    * See https://example.com/docs/a#other for more.
    *
    * {@link LINKkms_key_name X#y}
    */
    readonly kmsKeyName: string;
    /**
    * {@link LINKlabels X#y}
    */
    readonly labels?: {
        [key: string]: string;
    };
    /**
    * {@link LINKpolicy X#y}
    */
    readonly policy?: PubsubTopicPolicy[] | cdktf.IResolvable;
}
export interface PubsubTopicPolicy {
    /**
    * {@link LINKregions X#y}
    */
    readonly regions: string[];
}
"""
WRITTEN = """
class PubsubTopicPolicyOutputReference extends cdktf.ComplexObject {
    get state() {
        return this.getStringAttribute('state');
    }
}
class PubsubTopic extends cdktf.TerraformResource {
    constructor() {
        this._policy = new PubsubTopicPolicyList(this, "policy", false);
    }
    get id() {
        return this.getStringAttribute('id');
    }
}
"""


def test_a_table_is_made_of_type_declarations(tmp_path: Path) -> None:
    library = tmp_path / "node_modules" / "@cdktf" / "provider-google" / "lib" / "pubsub-topic"
    library.mkdir(parents=True)
    (library / "index.d.ts").write_text(DECLARED.replace("LINK", LINK))
    (library / "index.js").write_text(WRITTEN)

    version, table = table_of(tmp_path, "resource", "google_pubsub_topic")

    assert version == "6.50.0"
    assert table == {
        "kms_key_name": "string!",
        "labels": "map(string)",
        "policy": {"": "blocks", "regions": "list(string)!", "state": "computed"},
        "id": "computed",
    }
    with pytest.raises(LookupError, match="google_pubsub_topics"):
        table_of(tmp_path, "resource", "google_pubsub_topics")
    with pytest.raises(LookupError):
        make(tmp_path, Path(__file__).resolve().parents[3])


def test_the_committed_table_is_of_the_pinned_provider(repository: Path) -> None:
    pinned = (repository / "infra" / "terraform" / "versions.tf").read_text()

    assert schema()["providers"]["google"].startswith("6.")
    assert "~> 6" in pinned
