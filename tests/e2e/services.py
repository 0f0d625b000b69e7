"""Apache Kafka, DynamoDB Local and LocalStack's S3 as processes on free ports of loopback."""

import os
import socket
import subprocess
import time

from penstock import free_port

KAFKA = """process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
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


class Services:
    env = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}

    def __init__(self, cache, work):
        self.cache, self.work, self.processes = cache, work, []

    def __enter__(self):
        self.start_kafka()
        self.start_dynamodb()
        self.start_localstack()
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def flags(self):
        return ["--kafka", self.kafka, "--s3-endpoint", self.s3, "--dynamodb-endpoint", self.dynamodb]

    def start_kafka(self):
        port, controller = free_port(), free_port()
        libs = f"{self.cache}/kafka/libs/*"
        settings = self.work / "kafka.properties"
        settings.write_text(KAFKA.format(port=port, controller=controller, logs=self.work / "kafka"), encoding="utf-8")
        tool = ["java", "-cp", libs, "kafka.tools.StorageTool"]
        cluster = subprocess.run([*tool, "random-uuid"], capture_output=True, text=True, check=True).stdout.split()[-1]
        subprocess.run([*tool, "format", "--standalone", "-t", cluster, "-c", str(settings)], capture_output=True, check=True)
        self.run("kafka", ["java", "-Xmx512m", "-cp", libs, "kafka.Kafka", str(settings)], port)
        self.kafka = f"127.0.0.1:{port}"

    def start_dynamodb(self):
        port, libs = free_port(), f"{self.cache}/dynamodb/libs"
        server = "software.amazon.dynamodb.services.local.main.ServerRunner"
        self.run("dynamodb", ["java", f"-Djava.library.path={libs}", "-cp", f"{libs}/*", server, "-inMemory", "-sharedDb", "-port", str(port)], port,
                 DDB_LOCAL_TELEMETRY="0")
        self.dynamodb = f"http://127.0.0.1:{port}"

    def start_localstack(self):
        port = free_port()
        self.run("localstack", [f"{self.cache}/localstack/bin/python", "-m", "localstack.runtime.main"], port, SERVICES="s3",
                 GATEWAY_LISTEN=f"127.0.0.1:{port}", LOCALSTACK_VOLUME_DIR=str(self.work / "localstack"), DISABLE_EVENTS="1", SKIP_SSL_CERT_DOWNLOAD="1")
        self.s3 = f"http://127.0.0.1:{port}"

    def run(self, name, argv, port, seconds=60, **env):
        log = self.work / f"{name}.log"
        with open(log, "ab") as out:
            process = subprocess.Popen(argv, stdout=out, stderr=out, cwd=self.work, env={**os.environ, **env})
        self.processes.append(process)
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError(f"{name} does not answer: {log.read_text(errors='replace')[-2000:]}")
