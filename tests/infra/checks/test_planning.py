"""Terraform's language as the planner understands it."""

from __future__ import annotations

from typing import Any

import pytest

from infra.checks.hcl.modules import read_all
from infra.checks.hcl.planning import read_values
from infra.checks.problem import ConfigurationProblem
from tests.infra.checks.conftest import Planned, Write


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        ("10 - 4 - 3", 3),
        ("!(2 > 1) || 1 == 1", True),
        ('"a-${1 + 1}-${true}"', "a-2-true"),
        ('"$${x} \\"q\\"\\n"', '${x} "q"\n'),
        ("<<-EOT\n    one ${1}\n      two\n  EOT\n", "one 1\n  two\n"),
        ('{ for k, v in { a = 1, b = 2 } : upper(k) => v + 1 if k != "a" }', {"B": 3}),
        ("[for each in [1, 2] : each * 2]", [2, 4]),
        (
            '{ for word in ["ab", "ac", "b"] : substr(word, 0, 1) => word... }',
            {"a": ["ab", "ac"], "b": ["b"]},
        ),
        ('merge({ a = 1 }, { (format("%s", "b")) = 2 })', {"a": 1, "b": 2}),
        ("merge([{ a = 1 }, { b = 2 }]...)", {"a": 1, "b": 2}),
        ('[{ n = "x" }, { n = "y" }][*].n', ["x", "y"]),
        ('can(regex("^a", "b")) ? 1 : 2', 2),
        ('try({}.missing, "none")', "none"),
        ('can(cidrhost("10.0.0.0/33", 0))', False),
        ('join(",", compact(["a", "", "b"]))', "a,b"),
        ('lookup({ a = 1 }, "b", 2)', 2),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ('replace("a_b_c", "_", "-")', "a-b-c"),
        ("1 == 1 &&\n  2 == 2", True),
        ('jsonencode({ b = [1], a = "x" })', '{"a":"x","b":[1]}'),
    ],
)
def test_an_expression_has_its_value(planned: Planned, expression: str, value: Any) -> None:
    made = planned(f"output x {{\n  value = {expression}\n}}\n")

    assert made.problems == []
    assert made.outputs["x"] == value


def test_what_is_known_later_is_named_by_its_address(planned: Planned) -> None:
    made = planned(
        """
        resource "google_service_account" "each" {
          for_each   = toset(["chat", "tools"])
          account_id = "x-${each.key}"
        }
        output "member" { value = "serviceAccount:${google_service_account.each["chat"].email}" }
        output "id" { value = google_service_account.each["chat"].account_id }
        """
    )

    assert made.outputs["member"] == 'serviceAccount:${google_service_account.each["chat"].email}'
    assert made.outputs["id"] == "x-chat"
    assert [each.address for each in made.instances] == [
        'google_service_account.each["chat"]',
        'google_service_account.each["tools"]',
    ]


def test_modules_give_each_other_what_they_make(planned: Planned) -> None:
    module = """
    variable "size" {
      type = object({ memory = optional(string, "1Gi"), cpu = number })
    }
    variable "peer" { default = "" }
    resource "google_pubsub_topic" "t" {
      name   = "${var.size.memory}-${var.size.cpu}-${var.peer}"
      labels = { a = "b" }
    }
    output "id" { value = google_pubsub_topic.t.id }
    output "memory" { value = var.size.memory }
    """
    made = planned(
        """
        module "one" {
          source = "./part"
          size   = { cpu = "2" }
          peer   = module.two[0].memory
        }
        module "two" {
          source = "./part"
          count  = 1
          size   = { cpu = 4, memory = "2Gi", other = true }
          peer   = module.one.id
        }
        """,
        part=module,
    )

    assert made.problems == []
    names = {each.address: each.values["name"] for each in made.instances}
    assert names == {
        "module.one.google_pubsub_topic.t": "1Gi-2-2Gi",
        "module.two[0].google_pubsub_topic.t": "2Gi-4-${module.one.google_pubsub_topic.t.id}",
    }


def test_dynamic_blocks_are_written_out(planned: Planned) -> None:
    made = planned(
        """
        resource "google_x" "y" {
          dynamic "rule" {
            for_each = { a = 1, b = 2 }
            iterator = each_rule
            content {
              name = each_rule.key
              inner { value = each_rule.value }
            }
          }
          rule { name = "last" }
        }
        """
    )

    rules = made.instances[0].values["rule"]
    assert [rule["name"] for rule in rules] == ["a", "b", "last"]
    assert rules[1]["inner"] == [{"value": 2}]


def test_only_modules_have_a_source_of_their_own(planned: Planned) -> None:
    made = planned('resource "google_x" "y" {\n  source = "a"\n  part {\n    version = "1"\n  }\n}\n')

    assert made.instances[0].values == {"source": "a", "part": [{"version": "1"}]}


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ('variable "a" { type = string }', {}, "var.a is not given"),
        ('variable "a" { type = number }', {"a": "sixty"}, "var.a: takes a number"),
        ('variable "a" { type = list(string) }', {"a": "x"}, "var.a: takes a list"),
        (
            'variable "a" { type = object({ b = optional(string) }) }',
            {"a": {"c": "x"}},
            "var.a: its type has no c",
        ),
        (
            'variable "a" {\n  validation {\n    condition     = var.a > 1\n'
            '    error_message = "takes 2"\n  }\n}',
            {"a": 1},
            "var.a: takes 2",
        ),
        (
            'resource "google_x" "y" { for_each = toset([google_z.w.id]) }\nresource "google_z" "w" {}',
            {},
            "known",
        ),
        (
            'resource "google_x" "y" { count = google_z.w.size }\nresource "google_z" "w" {}',
            {},
            "count has to be",
        ),
        ("locals {\n  a = local.b\n  b = local.a\n}", {}, "depends on itself"),
        ('output "x" { value = { a = 1 }.b }', {}, "there is no b in an object of a"),
        ('output "x" { value = [][0] }', {}, "the list is empty"),
        ('output "x" { value = file("missing") }', {}, "there is no missing"),
        (
            'resource "google_x" "y" {\n  lifecycle {\n    precondition {\n      condition     = 1 > 2\n'
            '      error_message = "never"\n    }\n  }\n}',
            {},
            "never",
        ),
    ],
)
def test_what_cannot_be_planned_is_told(
    planned: Planned, text: str, given: dict[str, Any], told: str
) -> None:
    problems = [str(problem) for problem in planned(text, given).problems]

    assert any(told in problem for problem in problems)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = {", "cannot be read"),
        ("a = 1\na = 2", "a is set twice"),
        ('variable "a" {}\nvariable "a" {}', "a is declared twice"),
        ('resource "google_x" {}', "resource takes 2 labels"),
        ('module "m" { source = "hashicorp/x" }', "source takes the path"),
        ('output "x" { value = "%{ if true }a%{ endif }" }', "do not read %{ }"),
    ],
)
def test_a_file_that_cannot_be_read_stops_with_its_place(write: Write, text: str, told: str) -> None:
    with pytest.raises(ConfigurationProblem) as stopped:
        write(text)

    assert told in str(stopped.value)


def test_a_file_of_values_holds_values_alone(tmp_path: Any) -> None:
    path = tmp_path / "x.tfvars"
    path.write_text('a = { b = [1, "two"] }\n')
    assert read_values(path, "x.tfvars") == {"a": {"b": [1, "two"]}}

    path.write_text("a = var.b\n")
    with pytest.raises(ConfigurationProblem, match="var means nothing"):
        read_values(path, "x.tfvars")


def test_a_folder_without_files_is_no_module(tmp_path: Any) -> None:
    with pytest.raises(ConfigurationProblem, match=r"no \.tf files"):
        read_all([tmp_path], tmp_path)
