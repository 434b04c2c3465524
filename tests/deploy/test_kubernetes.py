"""The manifests of ``deploy/kubernetes``: the official schemas take them, and what one names the others have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from click.testing import CliRunner
from ruamel.yaml import YAML

from casduo.cli import main
from casduo.routes import ROUTES
from casduo.services.file import read_registry
from casduo.settings import Settings, load_settings
from tests.support.containerfile import read_containerfile
from tests.support.proxies import DEPLOY

FOLDER = DEPLOY / "kubernetes"
Manifest = dict[str, Any]


def documents(name: str) -> list[Manifest]:
    with (FOLDER / name).open(encoding="utf-8") as file:
        return list(YAML(typ="safe", pure=True).load_all(file))


KUSTOMIZATION = documents("kustomization.yaml")[0]
EXAMPLE = documents("secret.example.yaml")[0]
ALL = [(name, document) for name in KUSTOMIZATION["resources"] for document in documents(name)]
WORKLOADS = [document for _, document in ALL if document["kind"] in ("Deployment", "StatefulSet")]
CONTAINERFILE = read_containerfile(DEPLOY / "container" / "Containerfile")[-1]


def named(kind: str, name: str) -> Manifest:
    [found] = [each for _, each in ALL if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pod(workload: Manifest) -> Manifest:
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def container(workload: Manifest) -> Manifest:
    [found] = pod(workload)["containers"]
    return dict(found)


def labels(workload: Manifest) -> Manifest:
    found: Manifest = workload["spec"]["template"]["metadata"]["labels"]
    return found


def _id(value: object) -> str:
    return value["metadata"]["name"] if isinstance(value, dict) else str(value)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings of the ConfigMap, with the files of the example's Secret where they are mounted."""
    for name, value in EXAMPLE["stringData"].items():
        (tmp_path / name).write_text(value.ljust(40, "x")[: None if "key" in name else 40], encoding="ascii")
    text = named("ConfigMap", "casduo-settings")["data"]["casduo.yaml"]
    path = tmp_path / "casduo.yaml"
    path.write_text(text.replace("/run/secrets/casduo", str(tmp_path)), encoding="utf-8")
    return load_settings(path, CONTAINERFILE.environment)


@pytest.mark.parametrize("version", ["1.27", "1.34", kubernetes_validate.latest_version()])
def test_the_official_schemas_take_every_manifest(version: str) -> None:
    for _, document in [*ALL, ("", EXAMPLE)]:
        kubernetes_validate.validate(document, version, strict=True)


def test_every_file_is_a_resource_and_the_secret_is_not() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "secret.example.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files
    assert not [document for _, document in ALL if document["kind"] == "Secret"]


def test_everything_is_in_one_namespace() -> None:
    [namespace] = [document["metadata"]["name"] for _, document in ALL if document["kind"] == "Namespace"]
    others = [document for _, document in ALL if document["kind"] != "Namespace"]
    assert {document["metadata"]["namespace"] for document in others} == {namespace} == {KUSTOMIZATION["namespace"]}


def test_casduo_takes_the_settings(settings: Settings) -> None:
    assert settings.server.trusted_proxies == 1
    assert settings.server.worker is False
    assert settings.secret_key is not None
    assert settings.pairwise_key is not None
    assert settings.redis.password is not None


def test_casduo_takes_the_registry_without_a_word(settings: Settings) -> None:
    text = named("ConfigMap", "casduo-registry")["data"]["registry.yaml"]
    assert read_registry(text.encode(), "registry.yaml", settings, with_lint=True).problems == ()


def test_the_settings_name_the_files_that_are_mounted_and_the_secret_holds_no_more() -> None:
    text = named("ConfigMap", "casduo-settings")["data"]["casduo.yaml"]
    read = {word.rpartition("/")[2] for word in text.split() if word.startswith("/run/secrets/casduo/")}
    assert read == set(EXAMPLE["stringData"])
    command = (FOLDER / "secret.example.yaml").read_text(encoding="utf-8")
    assert all(f"--from-file={name}" in command for name in read)


@pytest.mark.parametrize("workload", WORKLOADS, ids=_id)
def test_selectors_find_the_pods(workload: Manifest) -> None:
    wanted = workload["spec"]["selector"]["matchLabels"]
    assert wanted == labels(workload)
    for constraint in pod(workload)["topologySpreadConstraints"]:
        assert constraint["labelSelector"]["matchLabels"] == wanted
    name = workload["metadata"]["name"]
    assert named("Service", name)["spec"]["selector"] == wanted
    budget = named("PodDisruptionBudget", name)["spec"]
    assert budget["selector"]["matchLabels"] == wanted
    assert budget["maxUnavailable"] == 1


@pytest.mark.parametrize("workload", WORKLOADS, ids=_id)
def test_pods_are_locked_down(workload: Manifest) -> None:
    spec, security = pod(workload), container(workload)["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    account = spec["securityContext"]
    assert account["runAsNonRoot"] is True
    assert f"{account['runAsUser']}:{account['runAsGroup']}" == CONTAINERFILE.all("USER")[0]
    assert account["seccompProfile"] == {"type": "RuntimeDefault"}
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("workload", WORKLOADS, ids=_id)
def test_what_is_mounted_is_there_and_secrets_are_files(workload: Manifest) -> None:
    spec, found = pod(workload), container(workload)
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    volumes |= {claim["metadata"]["name"]: {} for claim in workload["spec"].get("volumeClaimTemplates", [])}
    assert {mount["name"] for mount in found["volumeMounts"]} == set(volumes)
    for volume in volumes.values():
        if "configMap" in volume:
            assert named("ConfigMap", volume["configMap"]["name"])
        if "secret" in volume:
            assert volume["secret"]["secretName"] == EXAMPLE["metadata"]["name"]
            assert oct(volume["secret"]["defaultMode"]) == "0o440"
    assert not [variable for variable in found.get("env", []) if "valueFrom" in variable]
    assert "envFrom" not in found
    places = [mount["mountPath"] for mount in found["volumeMounts"]]
    assert CONTAINERFILE.environment["CASDUO_CONFIG"] in places
    state = {v["name"]: v["value"] for v in found.get("env", [])}.get(
        "CASDUO_SERVER__STATE_DIRECTORY", "/var/lib/casduo"
    )
    assert any(state.startswith(place) for place in places)


@pytest.mark.parametrize("workload", WORKLOADS, ids=_id)
def test_pods_run_commands_that_there_are(workload: Manifest) -> None:
    assert CliRunner().invoke(main, [*container(workload)["args"], "--help"]).exit_code == 0
    assert container(workload)["image"] == KUSTOMIZATION["images"][0]["name"]
    # The requests in hand have 30 seconds, behind what preStop waits.
    assert pod(workload)["terminationGracePeriodSeconds"] >= 45


def test_probes_ask_addresses_of_ours_by_a_port_that_there_is(settings: Settings) -> None:
    found = container(named("Deployment", "casduo"))
    [port] = found["ports"]
    assert str(port["containerPort"]) == settings.server.bind.rpartition(":")[2] == CONTAINERFILE.all("EXPOSE")[0]
    asked = {kind: found[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    assert {kind: get["path"] for kind, get in asked.items()} == {
        "startup": "/cas/healthz",
        "readiness": "/cas/readyz",
        "liveness": "/cas/healthz",
    }
    for get in asked.values():
        assert get["port"] == port["name"]
        assert ROUTES[get["path"].removeprefix(settings.server.prefix)].audience == "probe"


def test_the_way_in_leads_to_the_pods(settings: Settings) -> None:
    service = named("Service", "casduo")["spec"]
    [port] = service["ports"]
    assert port["targetPort"] == container(named("Deployment", "casduo"))["ports"][0]["name"]
    [rule] = named("Ingress", "casduo")["spec"]["rules"]
    assert settings.server.url == f"https://{rule['host']}{settings.server.prefix}"
    for path in rule["http"]["paths"]:
        assert path["backend"]["service"] == {"name": "casduo", "port": {"name": port["name"]}}
    assert rule["http"]["paths"][0]["path"] == f"{settings.server.prefix}/"


def test_the_ingress_repeats_nothing_that_reached_a_pod() -> None:
    annotations = named("Ingress", "casduo")["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-next-upstream"] == "off"


def test_network_policies_are_for_pods_that_there_are() -> None:
    pods = [labels(workload) for workload in WORKLOADS]
    for _, policy in ALL:
        if policy["kind"] == "NetworkPolicy":
            wanted = policy["spec"]["podSelector"].get("matchLabels", {})
            assert any(wanted.items() <= each.items() for each in pods)


def test_the_autoscaler_scales_what_there_is_and_leaves_one_when_one_goes() -> None:
    spec = named("HorizontalPodAutoscaler", "casduo")["spec"]
    target = named(spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"])
    assert "replicas" not in target["spec"]
    assert spec["minReplicas"] - named("PodDisruptionBudget", "casduo")["spec"]["maxUnavailable"] >= 1
