"""The catalog's conformance suite, which `cargo test` runs on memory and on an embedded store, on AWS's DynamoDB Local."""

from conftest import run


def test_the_catalog_conforms_on_dynamodb_local(services, pytestconfig):
    suite = pytestconfig.getoption("--catalog-suite")
    assert suite, "--catalog-suite: expected the built test `dynamodb_local` of penstock-catalog"
    done = run([suite, "--quiet"], env={"PENSTOCK_TEST_DYNAMODB": services.dynamodb}, timeout=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
