"""Who may ask."""

from intents import MIB, good
from report import check, refused


@check("token_missing", "without a token nothing is signed")
def token_missing(context):
    intent = good(context.vault)["ListParts"]
    answer = context.gateway.sign(intent, without=("authorization",))
    yield from refused(answer, "no token", 401, "token_missing")
    if answer.status == 401 and "www-authenticate" not in answer.headers:
        yield "no token: the answer does not say how to authenticate (WWW-Authenticate)"
    without = {"authorization": ""}
    yield from refused(context.gateway.sign(intent, headers=without), "an empty Authorization", 401, "token_missing")
    basic = {"authorization": "Basic dXNlcjpwYXNz"}
    answer = context.gateway.sign(intent, headers=basic)
    yield from refused(answer, "another scheme", 401, ("token_missing", "token_invalid"))


@check("token_first", "who has no token learns nothing about the contract")
def token_first(context):
    answer = context.gateway.post({"intents": [{}]}, without=("authorization",))
    yield from refused(answer, "a bad batch without a token", 401, "token_missing")


@check("token_invalid", "altered and made-up tokens are refused")
def token_invalid(context):
    intent = good(context.vault)["ListParts"]
    token = context.token
    middle = len(token) // 2
    other = "A" if token[middle] != "A" else "B"
    for what, bad in (
        ("a made-up token", "x"),
        ("a token cut short", token[:-1]),
        ("a token with something behind it", f"{token}A"),
        ("a token altered in the middle", f"{token[:middle]}{other}{token[middle + 1:]}"),
        ("a token in other case", token.swapcase()),
        ("the token's first part", token.split(".")[0]),
        ("a JSON web token of no algorithm", "eyJhbGciOiJub25lIn0.e30."),
        ("a token of bytes", "\u00ff\u00fe"),
    ):
        answer = context.gateway.sign(intent, headers={"authorization": f"Bearer {bad}"})
        yield from refused(answer, what, 401, "token_invalid")


@check("token_place", "a token counts in its header and nowhere else")
def token_place(context):
    intent = good(context.vault)["ListParts"]
    inside = context.gateway.post({"intents": [intent], "token": context.token}, without=("authorization",))
    yield from refused(inside, "a token in the body", (401, 422), ("token_missing", "invalid_request"))
    cookie = {"cookie": f"token={context.token}; authorization={context.token}"}
    answer = context.gateway.sign(intent, headers=cookie, without=("authorization",))
    yield from refused(answer, "a token in a cookie", 401, "token_missing")


@check("token_expired", "a token whose time is over is refused as that", needs="expired_token")
def token_expired(context):
    headers = {"authorization": f"Bearer {context.expired_token}"}
    answer = context.gateway.sign(good(context.vault)["ListParts"], headers=headers)
    yield from refused(answer, "an expired token", 401, "token_expired")


@check("other_vaults", "a vault in an intent is a wish: the token decides", needs="other_vault")
def other_vaults(context):
    own = good(context.vault)["ListParts"]
    for op, intent in good(context.other_vault).items():
        yield from refused(context.gateway.sign(own, intent), f"{op} in another vault", 403, "operation_denied", 1)


@check("limits", "archives larger than the token allows are refused, by their parts as well", needs="small_token")
def limits(context):
    headers = {"authorization": f"Bearer {context.small_token}"}
    intents = good(context.vault)
    for op, large in (
        ("InitiateMultipartUpload", {"size": MIB + 1}),
        ("CompleteMultipartUpload", {"size": MIB + 1}),
        ("UploadMultipartPart", {"range": f"{MIB}-{2 * MIB - 1}"}),
        ("UploadMultipartPart", {"range": f"1-{MIB}"}),
    ):
        answer = context.gateway.sign({**intents[op], **large}, headers=headers)
        yield from refused(answer, f"{op} {large}", 403, "limit_exceeded", 0)
    within = [{**intents["InitiateMultipartUpload"], "size": MIB}, intents["UploadMultipartPart"]]
    answer = context.gateway.sign(*within, headers=headers)
    if answer.status != 200:
        yield f"an archive of just what the token allows: expected 200, got {answer}"
