"""Compares answers with botocore's model of the service, field by field, before boto3 has touched them."""

import json

PYTHON_TYPES = {
    "string": str,
    "long": int,
    "integer": int,
    "boolean": bool,
    "list": list,
    "structure": dict,
    "map": dict,
}


def check(value, shape, path):
    """Every modelled field is there, or is null; none is of another type, and none is unknown."""
    if value is None:
        return
    assert isinstance(value, PYTHON_TYPES[shape.type_name]), f"{path}: {value!r} is no {shape.type_name}"
    assert shape.type_name == "boolean" or not isinstance(value, bool), f"{path}: {value!r}"
    if shape.type_name == "structure":
        names = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        assert value.keys() == names.keys(), f"{path}: {sorted(value.keys() ^ names.keys())}"
        for name, member in names.items():
            check(value[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        for number, item in enumerate(value):
            check(item, shape.member, f"{path}[{number}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            check(item, shape.value, f"{path}[{key!r}]")
    elif getattr(shape, "enum", None):
        assert value in shape.enum, f"{path}: {value!r}"


class Watcher:
    """Looks at every answer that a client gets, and notes which operations had one that was a success."""

    def __init__(self, client):
        self.succeeded = set()
        client.meta.events.register("before-parse.glacier", self.look)

    def look(self, operation_model, response_dict, **_):
        if response_dict["status_code"] >= 300:
            return
        self.succeeded.add(operation_model.name)
        output = operation_model.output_shape
        members = output.members if output else {}
        headers = {name.lower() for name in response_dict["headers"]}
        payload = output.serialization.get("payload") if output else None
        for name, member in members.items():
            if member.serialization.get("location") == "header":
                header = member.serialization["name"].lower()
                optional = {"x-amz-job-output-path", "content-range", "x-amz-archive-description"}
                has_none = operation_model.name == "GetJobOutput" and header == "x-amz-sha256-tree-hash"  # inventories
                assert header in headers or header in optional or has_none, f"{operation_model.name}: no {header}"
        if payload and members[payload].type_name == "blob":
            return
        if payload:
            check(json.loads(response_dict["body"]), members[payload], operation_model.name)
            return
        body = {name: member for name, member in members.items() if "location" not in member.serialization}
        if not body:
            assert response_dict["body"] in (b"", ""), f"{operation_model.name}: {response_dict['body']!r}"
            return
        document = json.loads(response_dict["body"])
        names = {member.serialization.get("name", name): member for name, member in body.items()}
        assert document.keys() == names.keys(), f"{operation_model.name}: {sorted(document.keys() ^ names.keys())}"
        for name, member in names.items():
            check(document[name], member, f"{operation_model.name}.{name}")
