"""Signature Version 4 as botocore has it, on random requests: canonical form, header, presigned query, and what is accepted.

GLACIER_FUZZ_SEED=7 GLACIER_FUZZ_CASES=1000000 asks other and more questions than every run of the tests does.
"""

import datetime
import json
import os
import pathlib
import random
import subprocess
import urllib.parse

from random_requests import METHODS, NAMES, TIME, Asked, query

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SIGNATURES", ROOT / "target/debug/examples/signatures"))
SEED = int(os.environ.get("GLACIER_FUZZ_SEED", 20260101))
CASES = int(os.environ.get("GLACIER_FUZZ_CASES", 10_000))
BATCH = 2_000


def as_signed(asked):
    return asked.received()


def with_the_parameters_respelt(asked):
    return asked.received(query=query(asked.random, asked.random.sample(asked.pairs, len(asked.pairs))))


def by_a_detour(asked):
    path = asked.random.choice(["/.", "/", "/detour/.."]) + asked.path
    assert asked.canonical_with(path=path) == asked.canonical
    return asked.received(path=path)


def with_wide_blanks(asked):
    wide = [(name, f" \t{value}  " if name in NAMES else value) for name, value in asked.signed_headers]
    assert asked.canonical_with(headers=wide) == asked.canonical
    return asked.received(headers=[*wide, ("authorization", asked.authorization)])


SAME = [as_signed, with_the_parameters_respelt, by_a_detour, with_wide_blanks]


def by_another_method(asked):
    return asked.received(method=asked.random.choice([method for method in METHODS if method != asked.method]))


def at_another_path(asked):
    path = asked.path + "x"
    assert asked.canonical_with(path=path) != asked.canonical
    return asked.received(path=path)


def with_one_parameter_more(asked):
    pairs = [*asked.pairs, ("zz", "1")]
    assert asked.canonical_with(pairs=pairs) != asked.canonical
    return asked.received(query=query(asked.random, pairs))


def with_another_body(asked):
    return asked.received(payload="0" * 64)


def at_another_time(asked):
    late = datetime.timedelta(seconds=asked.random.choice([-301, 301]))
    return asked.received(now=(asked.at + late).strftime(TIME))


def with_other_headers(asked):
    """One changed, left out, or there although it was not signed."""
    headers = [*asked.signed_headers]
    at = asked.random.randrange(len(headers) + 1)
    if at == len(headers):
        headers.append(("x-amz-unsigned", "x"))
    elif asked.random.random() < 0.5:
        headers[at] = (headers[at][0], headers[at][1] + "x")
    else:
        del headers[at]
    return asked.received(headers=[*headers, ("authorization", asked.authorization)])


def with_another_authorization(asked):
    """Of another signature, place, key or set of headers, or more than one."""
    changes = [
        ("Signature=", "Signature=0"), (f"/{asked.region}/", "/other-region/"), ("/glacier/", "/s3/"),
        ("/aws4_request", "/aws4"), ("Credential=", "Credential=X"), ("SignedHeaders=", "SignedHeaders=a;"),
        ("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), (asked.authorization[-1:], "g"),
        (asked.authorization, f"{asked.authorization}, {asked.authorization}"),
    ]
    old, new = asked.random.choice(changes)
    changed = new.join(asked.authorization.rsplit(old, 1))
    assert changed != asked.authorization
    return asked.received(headers=[*asked.signed_headers, ("authorization", changed)])


def authorized_twice(asked):
    return asked.received(headers=[*asked.signed_headers, *[("authorization", asked.authorization)] * 2])


OTHERS = [
    by_another_method, at_another_path, with_one_parameter_more, with_another_body, at_another_time, with_other_headers,
    with_another_authorization, authorized_twice,
]  # fmt: skip


def chosen(asked):
    """What the store gets, with whether it is to be accepted. It knows no keys of S3."""
    if asked.service == "s3":
        return []
    others = asked.random.sample(OTHERS, 2)
    return [(asked.random.choice(SAME)(asked), True), *((other(asked), False) for other in others)]


def question(asked, received):
    return {
        "method": asked.method, "path": asked.path, "query": asked.query, "headers": asked.signed_headers,
        "payload": asked.payload, "service": asked.service, "region": asked.region, "at": asked.at.strftime(TIME),
        "id": asked.credentials.access_key, "secret": asked.credentials.secret_key, "token": asked.credentials.token,
        "presignedQuery": query(asked.random, asked.once), "presignedHeaders": asked.presigned_headers,
        "presignedPayload": asked.presigned_payload, "expires": asked.expires, "received": [request for request, _ in received],
    }


def parameters(presigned):
    """The signature among them, in any order: what is signed is sorted."""
    # A plus sign is one, as the services read it.
    return sorted(urllib.parse.parse_qsl(presigned.replace("+", "%2B"), keep_blank_values=True))


def test_random_requests_are_signed_presigned_and_judged_as_botocore_does():
    source = random.Random(SEED)
    n_judged = 0
    for begin in range(0, CASES, BATCH):
        batch = [Asked(source) for _ in range(min(BATCH, CASES - begin))]
        received = [chosen(asked) for asked in batch]
        lines = "".join(json.dumps(question(*pair)) + "\n" for pair in zip(batch, received))
        program = subprocess.run([BINARY], input=lines.encode(), capture_output=True)
        assert program.returncode == 0, program.stderr.decode()
        answers = program.stdout.decode().splitlines()
        assert len(answers) == len(batch)
        for nth, (asked, judged, line) in enumerate(zip(batch, received, answers), begin):
            answer, where = json.loads(line), f"seed {SEED}, case {nth}"
            assert answer["canonical"] == asked.canonical, where
            assert answer["authorization"] == asked.authorization, where
            assert parameters(answer["presigned"]) == parameters(asked.presigned), where
            for (request, expected), found in zip(judged, answer["accepted"], strict=True):
                assert found == expected, f"{where}: {request}"
                n_judged += 1
    # About half of the requests are for the service whose signatures the store judges, and of each come three.
    assert n_judged > CASES
