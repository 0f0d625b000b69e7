"""What is deployed: the template, the compose file, and the built functions' sample events."""

import json

import yaml
from conftest import HERE, run

ROOT = HERE.parent.parent
OFFLINE = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}


class Template(yaml.SafeLoader):
    """Reads CloudFormation's short functions as plain values."""


Template.add_multi_constructor("!", lambda loader, suffix, node: {suffix: node.value})


def template():
    return yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), Template)


def test_sam_finds_the_template_valid(cache):
    done = run([cache / "tools/bin/sam", "validate", "--lint", "-t", ROOT / "template.yaml"], env=OFFLINE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_cfn_lint_finds_nothing(cache):
    done = run([cache / "tools/bin/cfn-lint", ROOT / "template.yaml"], env=OFFLINE)
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


def test_every_function_folder_is_a_function_of_the_template():
    functions = {r["Properties"]["CodeUri"] for r in template()["Resources"].values() if r["Type"] == "AWS::Serverless::Function"}
    assert functions == {f"functions/{folder.name}" for folder in (ROOT / "functions").iterdir() if folder.is_dir()}


def test_no_role_may_do_everything():
    for name, resource in template()["Resources"].items():
        for policy in resource.get("Properties", {}).get("Policies", []):
            for statement in policy.get("Statement", []):
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                assert all("*" not in action for action in actions), (name, actions)


def test_the_compose_file_listens_on_loopback_only():
    services = yaml.safe_load((ROOT / "localstack/compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) == {"redpanda", "console", "localstack"}
    for name, service in services.items():
        assert "healthcheck" in service, name
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name


def test_sample_events_are_kafka_events():
    events = list((ROOT / "functions/load/events").glob("*.json"))
    assert events
    for path in events:
        event = json.loads(path.read_text(encoding="utf-8"))
        assert event["eventSource"] in ("aws:kafka", "SelfManagedKafka") and event["records"], path
