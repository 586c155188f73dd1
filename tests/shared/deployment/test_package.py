"""A bot in one piece: the same bytes for the same files, and one source that runs as its modules do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deployment.package import MAX_PACKAGE_BYTES, check_size, one_source, zip_of
from shared.deployment.validate import read_bot
from shared.deployment.versions import is_version, raised
from shared.errors import TooLargeError
from tests.shared.deployment.bots import template_bot, tiny_bot, with_config

ENTRY = b'''"""A bot."""

from __future__ import annotations

import deep.inner
from beside import GREETING


def main() -> str:
    return f"{GREETING} {deep.inner.NAME} {__name__} {__file__.rsplit('/', 1)[-1]}"


print(main())
'''


def test_the_archive_of_the_same_files_has_the_same_bytes() -> None:
    files = template_bot()
    assert zip_of(files) == zip_of(dict(reversed(files.items())))


def test_what_is_too_much_is_not_packed() -> None:
    check_size({"a": MAX_PACKAGE_BYTES})
    with pytest.raises(TooLargeError):
        check_size({"a": MAX_PACKAGE_BYTES, "b": 1})


def test_a_bot_of_one_module_is_sent_as_it_is() -> None:
    files = tiny_bot()
    assert one_source(read_bot(files)) == files["main.py"].decode()


def test_one_source_runs_as_the_modules_do(tmp_path: Path) -> None:
    files = tiny_bot(main__py=ENTRY, beside__py='GREETING = "hé\\n\U0001f916"\n'.encode())
    files |= {"deep/inner.py": b'NAME = "inner"\n', "tests/test_main.py": b"import nothing\n"}
    code = one_source(read_bot(files))
    assert code is not None
    outputs = []
    for folder, written in (("parts", files), ("whole", {"main.py": code.encode()})):
        for name, data in written.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        ran = subprocess.run(
            [sys.executable, "main.py"], cwd=tmp_path / folder, capture_output=True, check=True, timeout=30
        )
        outputs.append(ran.stdout.decode())
    assert outputs[0] == outputs[1]
    assert "inner __main__ main.py" in outputs[0]
    assert "test_main" not in code


def test_one_source_of_a_template_bot_is_python_with_all_its_modules() -> None:
    code = one_source(read_bot(template_bot()))
    assert code is not None
    compile(code, "main.py", "exec")
    assert "'strategy': (False" in code


def test_several_files_of_another_language_have_no_one_source() -> None:
    files = with_config("  bot: main.py", "  bot: main.js") | {"main.js": b"1", "other.js": b"2"}
    assert one_source(read_bot(files)) is None
    del files["other.js"]
    assert one_source(read_bot(files)) == "1"


def test_a_version_is_kept_when_it_is_new_and_raised_when_it_is_not() -> None:
    assert raised("1.0.0", []) == "1.0.0"
    assert raised("2.0.0", ["1.9.9", "1.10.0"]) == "2.0.0"
    assert raised("1.10.0", ["1.9.9", "1.10.0"]) == "1.10.1"
    assert raised("1.0.0", ["1.9.9", "1.10.0", "odd"]) == "1.10.1"


@given(st.lists(st.tuples(*[st.integers(0, 10**9)] * 3).map(lambda n: "{}.{}.{}".format(*n)), min_size=1))
def test_a_raised_version_is_new_and_the_greatest(versions: list[str]) -> None:
    found = raised(versions[0], versions)
    assert is_version(found)
    assert found not in versions
    assert raised(found, versions) == found
