"""What `terraform fmt` would write otherwise."""

from __future__ import annotations

import pytest

from infra.checks.formatting import check_format

# As Terraform 1.11 leaves it.
FORMATTED = """\
# top
locals {
  functions = { for name, f in var.functions : name => merge(f, { a = "x-${name}" }) if f.on }
  b         = var.x == "a" ? [1, 2] : []

  # a comment
  c = {
    a   = 1 # one
    bcd = 2 # two
    "x" = { a = 1 }
  }
  z = [{
    a = 1
    }, {
    b = 2
  }]
  s = "a#b = ${c("q = {")} {"
  fff = merge(local.a, {
    a = 1
  })
  g = (a >= 3 &&
  b <= 4)
  doc = <<-EOT
      x =   y
  EOT
  t   = 1
  cond = (
    a ? b : c
  )
  w  = !a
  zz = -1
  y  = a ? 1 : 2 // t
}
resource "a" "b" { name = "x" }
"""


def test_what_terraform_writes_is_left() -> None:
    assert check_format(FORMATTED, "main.tf") == ()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("  b         = var", "  b = var", "main.tf:4: terraform fmt writes '  b         = var"),
        ("    a   = 1 # one", "   a   = 1 # one", "main.tf:8"),
        ("    a   = 1 # one", "    a   = 1  # one", "main.tf:8"),
        ("  }]", "    }]", "main.tf:16"),
        ("  t   = 1", "  t = 1", "main.tf:26"),
        ("[1, 2]", "[1,2]", "no space after a comma"),
        ("[1, 2]", "[ 1, 2 ]", "a space after an opening bracket"),
        ("{ a = 1 }\n", "{a = 1}\n", "no space inside braces"),
        ("  zz = -1", "  zz = -1 ", "main.tf:31"),
        ("locals {", "locals  {", "several spaces"),
        ("locals {", "locals{", "no space before {"),
        (" ? [1", " ?[1", "no space beside an operator"),
        ('"x" = { a = 1 }', '"x" = { a  = 1 }', "several spaces"),
        ('{ name = "x" }\n', '{ name = "x" }\n\n', "ends with one newline"),
        ("# top\n", "\t# top\n", "main.tf:1"),
    ],
)
def test_what_it_would_change_is_told(old: str, new: str, told: str) -> None:
    assert old in FORMATTED

    problems = [str(problem) for problem in check_format(FORMATTED.replace(old, new, 1), "main.tf")]

    assert any(told in problem for problem in problems), problems
