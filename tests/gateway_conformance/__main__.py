"""Checks any back end that answers POST /v1/sign against the contract of docs/gateway.md.

    python3 tests/gateway_conformance --sign-url https://app.example.com/v1/sign --token TOKEN --vault photos

Asks only for the five operations of an upload. Unless --no-store is given, it also uploads about 3 MiB by the requests it is
given, into the vault named; the archive stays there. Python's standard library is enough; with botocore installed and the
gateway's credentials in the environment (CONFORMANCE_ACCESS_KEY_ID, CONFORMANCE_SECRET_ACCESS_KEY, CONFORMANCE_SESSION_TOKEN)
every signature is computed a second time. Exit code: 0 if the back end conforms, 1 if not, 2 if it could not be asked.
"""

import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import client  # noqa: E402
import report  # noqa: E402

# In the order of the report.
import batches  # noqa: E402, F401
import fields  # noqa: E402, F401
import tokens  # noqa: E402, F401
import transport  # noqa: E402, F401
import signatures  # noqa: E402, F401
import uploads  # noqa: E402, F401


def options():
    parser = argparse.ArgumentParser(
        prog="gateway_conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sign-url", required=True, help="the sign endpoint")
    parser.add_argument("--token", required=True, help="a token that may upload into the vault")
    parser.add_argument("--vault", required=True, help="a vault that exists, if requests are to be sent to the store")
    parser.add_argument("--expired-token", help="a token whose time is over")
    parser.add_argument("--other-vault", help="a vault that the token is not good for")
    parser.add_argument("--small-token", help="a token for the vault that allows archives of at most 1 MiB")
    parser.add_argument("--origin", help="an origin of another host whose pages may call")
    parser.add_argument("--no-store", dest="store", action="store_false", help="send nothing to the store")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args()


def main():
    context = options()
    context.gateway = client.Gateway(context.sign_url, {"authorization": f"Bearer {context.token}"})
    context.access_key_id = os.environ.get("CONFORMANCE_ACCESS_KEY_ID")
    context.secret = os.environ.get("CONFORMANCE_SECRET_ACCESS_KEY")
    context.session_token = os.environ.get("CONFORMANCE_SESSION_TOKEN")
    try:
        context.gateway.sign({})
    except OSError as error:
        print(f"cannot ask {context.sign_url}: {error}", file=sys.stderr)
        return 2
    return 1 if report.run(context, context.json) else 0


sys.exit(main())
