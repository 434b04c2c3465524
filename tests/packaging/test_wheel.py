"""The wheel has all that casduo needs, in the right places, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import casduo
from tests.packaging.builds import Built, Environment


def test_the_wheel_has_every_module_and_every_file_among_them(built: Built, checkout: Path) -> None:
    package = checkout / "casduo"
    expected = {
        str(path.relative_to(checkout)) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"
    }
    assert expected <= built.names


def test_the_wheel_has_the_templates_and_the_samples_inside_the_package(built: Built, checkout: Path) -> None:
    views = {f"casduo/views/{path.relative_to(checkout / 'views')}" for path in _files(checkout / "views")}
    samples = {f"casduo/sample/{name}" for name in ("registry.yaml", "casduo.example.yaml")}
    assert views | samples <= built.names
    assert built.read("casduo/sample/registry.yaml") == (checkout / "registry.yaml").read_bytes()


def test_the_wheel_has_nothing_but_the_package(built: Built) -> None:
    tops = {name.partition("/")[0] for name in built.names}
    assert tops == {"casduo", f"casduo-{casduo.__version__}.dist-info"}


def test_the_source_distribution_has_what_a_build_and_a_reader_need(built: Built) -> None:
    needed = ("setup.py", "pyproject.toml", "LICENSE", "README.md", "registry.yaml", "views/login.html")
    assert [name for name in needed if not (built.unpacked / name).is_file()] == []


def test_the_metadata_name_the_version_the_python_and_the_licence(built: Built) -> None:
    assert built.metadata["Name"] == "casduo"
    assert built.metadata["Version"] == casduo.__version__
    assert built.metadata["Requires-Python"] == ">=3.11"
    assert built.metadata["License-Expression"] or built.metadata["License"] == "MIT"


def test_every_requirement_has_a_lower_and_most_an_upper_bound(built: Built) -> None:
    base = [line for line in built.metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert [line for line in base if not re.search(r"[<>]", line)] == []
    assert [line for line in base if "<" not in line] == []


def test_an_installed_casduo_finds_its_own_files(installed: Environment) -> None:
    code = (
        "from casduo.paths import sample_registry, sample_settings, views_directory\n"
        "print(views_directory() / 'login.html', sample_registry(), sample_settings(), sep='\\n')"
    )
    for line in installed.run("python", "-I", "-c", code).splitlines():
        assert Path(line).is_file()
        assert Path(line).is_relative_to(installed.directory.resolve())


def test_the_command_is_installed_and_knows_its_version(installed: Environment) -> None:
    assert casduo.__version__ in installed.run("casduo", "--version")


def test_the_middleware_is_found_by_its_paste_entry_point(installed: Environment) -> None:
    code = (
        "from importlib.metadata import entry_points\n"
        "(point,) = entry_points(group='paste.filter_app_factory', module='casduo.middleware.paste')\n"
        "print(point.load().__name__)"
    )
    assert installed.run("python", "-I", "-c", code) == "make_filter\n"


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]
