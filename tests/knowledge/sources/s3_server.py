"""Moto's S3 as a process of its own, run by the interpreter of `make compatible`.

It checks every signature with botocore's own code once its first requests, which make the keys and
the bucket, are done. Prints one line of JSON: port and keys.
"""

import json
import os
import sys
import threading

ROOT = {"aws_access_key_id": "root", "aws_secret_access_key": "root", "region_name": "us-east-1"}
SETUP_REQUESTS = 3  # user, policy, key
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(SETUP_REQUESTS)
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


def main() -> None:
    import boto3  # noqa: PLC0415 - after the environment, which it reads
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    iam = boto3.client("iam", endpoint_url=f"http://{host}:{port}", **ROOT)
    iam.create_user(UserName="parley")
    iam.put_user_policy(UserName="parley", PolicyName="all", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName="parley")["AccessKey"]
    told = {"port": port, "access_key": key["AccessKeyId"], "secret_key": key["SecretAccessKey"]}
    s3 = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
        aws_access_key_id=told["access_key"], aws_secret_access_key=told["secret_key"],
    )  # fmt: skip
    s3.create_bucket(Bucket="team-docs")
    print(json.dumps(told), flush=True)
    for line in sys.stdin:  # one order a line: put, delete
        order = json.loads(line)
        if order["do"] == "put":
            body = order["text"].encode() * order.get("times", 1)
            s3.put_object(Bucket="team-docs", Key=order["key"], Body=body)
        else:
            s3.delete_object(Bucket="team-docs", Key=order["key"])
        print("{}", flush=True)
    server.stop()
    assert threading.active_count()


if __name__ == "__main__":
    main()
