"""Apache Kafka, DynamoDB Local and an S3 as processes on free ports of loopback, which can be killed and started again."""

import os
import socket
import subprocess
import time

import boto3
from botocore.config import Config
from penstock import free_port

# Two listeners for clients: the second tells them to come through a proxy, since a client goes where the broker says it is.
KAFKA = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{inner},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},PROXIED://127.0.0.1:{outer}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT
log.dirs={logs}
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=1
log.retention.ms=-1
"""

S3PROXY = """s3proxy.endpoint=http://127.0.0.1:{port}
s3proxy.authorization=none
jclouds.provider=filesystem-nio2
jclouds.filesystem.basedir={objects}
jclouds.identity=test
jclouds.credential=test
"""

QUIET = "<configuration><root level='warn'/></configuration>"


class Services:
    """With `durable`, what was answered outlives `kill -9` of whoever answered it: DynamoDB Local keeps a file (see
    `settle_dynamodb`), and S3Proxy, which does, stands in for LocalStack's S3, which does not; or MinIO, if its program is named."""

    # As long as MinIO wants them.
    env = {"AWS_ACCESS_KEY_ID": "testtest", "AWS_SECRET_ACCESS_KEY": "testtest", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}

    def __init__(self, cache, work, durable=False, minio=None):
        self.cache, self.work, self.durable, self.minio = cache, work, durable, minio
        self.commands, self.processes, self.tests = {}, {}, 0

    def __enter__(self):
        try:
            self.start_kafka()
            self.start_dynamodb()
            (self.start_minio if self.minio else self.start_s3proxy if self.durable else self.start_localstack)()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def for_a_test(self):
        """The same, with a catalog and a bucket that nobody has used. Topics are for all."""
        self.tests += 1
        return self

    def flags(self, **instead):
        """`instead` may name other endpoints, such as those of a proxy: `dynamodb="http://..."`."""
        at = {"kafka": self.kafka, "s3": self.s3, "dynamodb": self.dynamodb, **instead}
        return ["--kafka", at["kafka"], "--s3-endpoint", at["s3"], "--dynamodb-endpoint", at["dynamodb"],
                "--bucket", f"test-{self.tests}", "--table", f"test-{self.tests}"]

    def start_kafka(self):
        port, controller = free_port(), free_port()
        # Clients of the second listener are told `outer`, where whoever wants to listens, and hands on to `inner`.
        self.kafka_outer, self.kafka_inner = free_port(), free_port()
        libs = f"{self.cache}/kafka/libs/*"
        settings = self.work / "kafka.properties"
        settings.write_text(KAFKA.format(port=port, controller=controller, inner=self.kafka_inner, outer=self.kafka_outer,
                                         logs=self.work / "kafka"), encoding="utf-8")
        tool = ["java", "-cp", libs, "kafka.tools.StorageTool"]
        cluster = subprocess.run([*tool, "random-uuid"], capture_output=True, text=True, check=True).stdout.split()[-1]
        subprocess.run([*tool, "format", "--standalone", "-t", cluster, "-c", str(settings)], capture_output=True, check=True)
        self.run("kafka", ["java", "-Xmx512m", "-cp", libs, "kafka.Kafka", str(settings)], port)
        self.kafka = f"127.0.0.1:{port}"

    def start_dynamodb(self):
        port, libs = free_port(), f"{self.cache}/dynamodb/libs"
        server = "software.amazon.dynamodb.services.local.main.ServerRunner"
        folder = self.work / "dynamodb"
        folder.mkdir()
        kept = ["-dbPath", str(folder)] if self.durable else ["-inMemory"]
        self.run("dynamodb", ["java", f"-Djava.library.path={libs}", "-cp", f"{libs}/*", server, *kept, "-sharedDb", "-port", str(port)], port,
                 DDB_LOCAL_TELEMETRY="0")
        self.dynamodb = f"http://127.0.0.1:{port}"

    def start_localstack(self):
        port = free_port()
        self.run("s3", [f"{self.cache}/localstack/bin/python", "-m", "localstack.runtime.main"], port, SERVICES="s3",
                 GATEWAY_LISTEN=f"127.0.0.1:{port}", LOCALSTACK_VOLUME_DIR=str(self.work / "localstack"), DISABLE_EVENTS="1", SKIP_SSL_CERT_DOWNLOAD="1")
        self.s3 = f"http://127.0.0.1:{port}"
        # It accepts connections before it has loaded its S3, which it does with the first request.
        patient = Config(read_timeout=300, retries={"max_attempts": 0})
        boto3.client("s3", endpoint_url=self.s3, region_name="us-east-1", aws_access_key_id="testtest", aws_secret_access_key="testtest", config=patient).list_buckets()

    def start_s3proxy(self):
        port, objects = free_port(), self.work / "objects"
        objects.mkdir()
        settings, logging = self.work / "s3proxy.conf", self.work / "logback.xml"
        settings.write_text(S3PROXY.format(port=port, objects=objects), encoding="utf-8")
        logging.write_text(QUIET, encoding="utf-8")
        self.run("s3", ["java", "-Xmx256m", f"-Dlogback.configurationFile={logging}", "-cp", f"{self.cache}/s3proxy/libs/*", "org.gaul.s3proxy.Main",
                        "--properties", str(settings)], port)
        self.s3 = f"http://127.0.0.1:{port}"

    def start_minio(self):
        port, console = free_port(), free_port()
        self.run("s3", [self.minio, "server", str(self.work / "objects"), "--address", f"127.0.0.1:{port}", "--console-address", f"127.0.0.1:{console}", "--quiet"],
                 port, MINIO_ROOT_USER="testtest", MINIO_ROOT_PASSWORD="testtest")
        self.s3 = f"http://127.0.0.1:{port}"

    def run(self, name, argv, port, seconds=300, **env):
        self.commands[name] = (argv, port, seconds, {**os.environ, **env})
        self.start(name)

    def start(self, name):
        """Starts a service (again), on the port and the data that it had; back once it accepts connections."""
        argv, port, seconds, env = self.commands[name]
        log = self.work / f"{name}.log"
        with open(log, "ab") as out:
            process = subprocess.Popen(argv, stdout=out, stderr=out, cwd=self.work, env=env)
        self.processes[name] = process
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{name} does not answer: {log.read_text(errors='replace')[-2000:]}")

    def settle_dynamodb(self):
        """Back once what it has answered so far outlives a kill: DynamoDB Local answers a write before its file has it, but a write
        that comes later is answered after that."""
        client = boto3.client("dynamodb", endpoint_url=self.dynamodb, region_name="us-east-1", aws_access_key_id="testtest", aws_secret_access_key="testtest")
        if "settled" not in client.list_tables()["TableNames"]:
            client.create_table(TableName="settled", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
                                AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
        for number in range(2):
            client.put_item(TableName="settled", Item={"k": {"S": "last"}, "number": {"N": str(number)}})

    def kill(self, name):
        """`kill -9`."""
        self.processes[name].kill()
        self.processes[name].wait(10)
