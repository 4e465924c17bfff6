"""boto3 and the AWS CLI, unmodified, behind one way of asking: the operation's name and its parameters in the model."""

import contextlib
import io
import json
import re

import awscli.clidriver
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from store import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY


# What the CLI prints.
ERROR = r"An error occurred \((\w+)\) when calling the (\w+) operation(?: \(reached max retries: \d\))?: (.*)"


class Refused(Exception):
    """What the store refused: the code, and the message as the client has it."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Boto3:
    """The client of a program."""

    def __init__(self, store, _folder):
        self.client = store.boto3()
        self.events = self.client.meta.events

    def __call__(self, operation, **parameters):
        call = getattr(self.client, xform_name(operation))
        try:
            answer = call(**parameters)
        except ClientError as error:
            found = error.response["Error"]
            # The exception is the one of the model, where the model has the code for this operation.
            modelled = {shape.name for shape in self.client.meta.service_model.operation_model(operation).error_shapes}
            assert found["Code"] not in modelled or type(error).__name__ == found["Code"], type(error)
            raise Refused(found["Code"], found["Message"]) from error
        answer.pop("ResponseMetadata")
        if "body" in answer:
            answer["body"] = answer["body"].read()
        return answer

    def close(self):
        self.client.close()


class AwsCli:
    """The program `aws`, in this process: started as one, each of some hundred commands would take a second."""

    def __init__(self, store, folder):
        self.url, self.folder = store.url, folder
        self.driver = awscli.clidriver.create_clidriver()
        self.driver.session.set_credentials(ACCESS_KEY_ID, SECRET_ACCESS_KEY)
        self.driver.session.set_config_variable("region", REGION)
        self.driver.session.set_config_variable("retry_mode", "standard")
        self.driver.session.set_config_variable("max_attempts", 1)
        self.events = self.driver.session.get_component("event_emitter")

    def __call__(self, operation, **parameters):
        body, written = parameters.pop("body", None), self.folder / "output"
        words = ["--endpoint-url", self.url, "glacier", xform_name(operation, "-")]
        for name, value in {"accountId": "-", **parameters}.items():
            text = value if isinstance(value, str) else json.dumps(value)
            words.append(f"--{xform_name(name, '-')}={text}")
        if body is not None:
            file = self.folder / "body"
            file.write_bytes(body)
            words += ["--body", str(file)]
        if operation == "GetJobOutput":
            words.append(str(written))
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = self.driver.main(words)
        if status:
            found = re.search(ERROR, errors.getvalue(), re.DOTALL)
            assert found, errors.getvalue()
            code, called, message = found.groups()
            assert called == operation
            raise Refused(code, message)
        answer = json.loads(output.getvalue()) if output.getvalue() else {}
        if operation == "GetJobOutput":
            answer["body"] = written.read_bytes()
        return answer

    def close(self):
        pass


CLIENTS = [Boto3, AwsCli]


@pytest.fixture(params=CLIENTS, ids=["boto3", "aws-cli"])
def make_client(request, tmp_path):
    """Makes a client of a store."""
    made = []

    def make(store):
        made.append(request.param(store, tmp_path))
        return made[-1]

    yield make
    for client in made:
        client.close()


@contextlib.contextmanager
def changed(client, change):
    """Lets `change` have every request before it is signed."""

    def handler(request, **_):
        change(request)

    client.events.register("before-sign.glacier", handler)
    try:
        yield
    finally:
        client.events.unregister("before-sign.glacier", handler)
