"""Checks, what they find, and the report of it."""

import json

CHECKS = []


def check(name, claim, needs=None):
    """Registers a check: a function that yields what is wrong. `needs` names an option without which it cannot be made."""

    def register(function):
        CHECKS.append((name, claim, needs, function))
        return function

    return register


def run(context, as_json):
    """Makes every check and prints the report. Gives the number of checks that found something."""
    results = []
    for name, claim, needs, function in CHECKS:
        if needs and not getattr(context, needs):
            results.append({"check": name, "claim": claim, "left_out": f"--{needs.replace('_', '-')}", "findings": []})
        else:
            try:
                findings = list(function(context))
            except Exception as error:  # noqa: BLE001 - a gateway may break in any way, and the report goes on
                findings = [f"the check broke off: {type(error).__name__}: {error}"]
            results.append({"check": name, "claim": claim, "findings": findings})
        if not as_json:
            show(results[-1])
    failed = sum(1 for result in results if result["findings"])
    left_out = sum(1 for result in results if "left_out" in result)
    passed = len(results) - failed - left_out
    if as_json:
        print(json.dumps({"passed": passed, "failed": failed, "left_out": left_out, "checks": results}, indent=1))
    else:
        print(f"\n{passed} checks passed, {failed} failed, {left_out} left out")
    return failed


def show(result):
    if "left_out" in result:
        print(f"left out  {result['claim']} (needs {result['left_out']})")
        return
    print(f"{'FAILED' if result['findings'] else 'ok':8}  {result['claim']}")
    for finding in result["findings"][:10]:
        print(f"            {finding}")
    if len(result["findings"]) > 10:
        print(f"            and {len(result['findings']) - 10} more")


def refused_early(answer, what, *statuses):
    """As `refused`, for what a server may refuse before its gateway is asked: in any words."""
    if answer.status not in statuses:
        yield f"{what}: expected {' or '.join(map(str, statuses))}, got {answer}"


def refused(answer, what, status, code, intent=None):
    """What is wrong with a refusal, if anything: `status` and `code` may be tuples of what is allowed."""
    statuses = status if isinstance(status, tuple) else (status,)
    codes = code if isinstance(code, tuple) else (code,)
    if answer.status not in statuses:
        yield f"{what}: expected {' or '.join(map(str, statuses))}, got {answer}"
        return
    body = answer.json
    if not isinstance(body, dict):
        yield f"{what}: the refusal is no JSON object: {answer}"
        return
    if body.get("code") not in codes:
        yield f"{what}: expected the code {' or '.join(codes)}, got {body.get('code')!r}"
    for field in ("message", "requestId"):
        if not isinstance(body.get(field), str) or not body[field]:
            yield f"{what}: the refusal has no {field}"
    if intent is not None and body.get("intent") != intent:
        yield f"{what}: expected \"intent\": {intent}, got {body.get('intent')!r}"
    if "requests" in body:
        yield f"{what}: a refusal carries requests"
