"""The catalog's conformance suite, which `cargo test` runs on memory and on an embedded store, on AWS's DynamoDB Local."""

from conftest import HERE, run


def test_the_catalog_conforms_on_dynamodb_local(services):
    suite = ["cargo", "test", "--locked", "--quiet", "-p", "penstock-catalog", "--test", "dynamodb_local"]
    done = run(suite, cwd=HERE.parent.parent, env={"PENSTOCK_TEST_DYNAMODB": services.dynamodb}, timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
