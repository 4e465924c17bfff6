"""Fields of intents: what must be there, what may, and which values."""

import json

from intents import BAD, FOREIGN, OPTIONAL, UNKNOWN_OPERATIONS, good
from report import check, refused


def show(value):
    text = json.dumps(value)
    return text if len(text) <= 40 else f"{text[:40]}…"


@check("unknown_operations", "unknown operations are refused")
def unknown_operations(context):
    intent = good(context.vault)["ListParts"]
    for op in UNKNOWN_OPERATIONS:
        answer = context.gateway.sign({**intent, "op": op})
        yield from refused(answer, f"operation {show(op)}", 422, "invalid_request", 0)
    for intent in good(context.vault).values():
        for number in range(10):
            # What an operation would be in a list of them.
            answer = context.gateway.sign({**intent, "op": number})
            yield from refused(answer, f"operation {number} for {intent['op']}", 422, "invalid_request", 0)
    answer = context.gateway.sign({name: value for name, value in intent.items() if name != "op"})
    yield from refused(answer, "no operation", 422, "invalid_request", 0)


@check("unknown_fields", "unknown fields are refused, and so are those of another operation")
def unknown_fields(context):
    intents = good(context.vault)
    every = {name: value for intent in intents.values() for name, value in intent.items()}
    for op, intent in intents.items():
        foreign = {**FOREIGN, **{name: value for name, value in every.items() if name not in intent}}
        for name, value in foreign.items():
            answer = context.gateway.sign({**intent, name: value})
            yield from refused(answer, f"{op} with {name}", 422, "invalid_request", 0)


@check("missing_fields", "every field but the optional ones must be there")
def missing_fields(context):
    for op, intent in good(context.vault).items():
        for missing in intent.keys() - {"op"}:
            answer = context.gateway.sign({name: value for name, value in intent.items() if name != missing})
            yield from refused(answer, f"{op} without {missing}", 422, "invalid_request", 0)


@check("bad_values", "values of another type, form or range are refused")
def bad_values(context):
    for op, intent in good(context.vault).items():
        for name in [*(intent.keys() - {"op"}), *OPTIONAL.get(op, ())]:
            for value in BAD[name]:
                answer = context.gateway.sign({**intent, name: value})
                yield from refused(answer, f"{op} with {name} {show(value)}", 422, "invalid_request", 0)


@check("optional_fields", "optional fields are taken")
def optional_fields(context):
    for op, fields in OPTIONAL.items():
        answer = context.gateway.sign({**good(context.vault)[op], **fields})
        if answer.status != 200:
            yield f"{op} with {', '.join(fields)}: expected 200, got {answer}"


@check("no_echo", "a refusal does not repeat what was sent")
def no_echo(context):
    canary = "canary-7f3a91"
    intent = good(context.vault)["ListParts"]
    for what, answer in (
        ("a field's value", context.gateway.sign({**intent, "uploadId": f"{canary}/"})),
        ("a field's name", context.gateway.sign({**intent, canary: 1})),
        ("an operation", context.gateway.sign({**intent, "op": canary})),
        ("text that is no JSON", context.gateway.post(canary.encode())),
        ("a token", context.gateway.sign(intent, headers={"authorization": f"Bearer {canary}"})),
    ):
        if canary.encode() in answer.body or canary in str(answer.headers):
            yield f"{what}: {answer}"
