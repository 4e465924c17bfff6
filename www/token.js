// The development token: where it comes from and when it is renewed.

const TOKEN_URL = "/v1/dev-token";

/** The token could not be had. Has the fields of an UploadError that the page shows. */
export class TokenError extends Error {
  constructor(fields) {
    super(fields.message);
    Object.assign(this, fields);
  }
}

/** Keeps one token, asks for the next before it runs out, and never asks twice at once. */
export class DevelopmentToken {
  #answer;
  #renewAt = 0;
  #pending;

  /** The server's answer: `{token, vault, vaults}`. */
  async current() {
    if (Date.now() < this.#renewAt) return this.#answer;
    this.#pending ??= this.#renew().finally(() => { this.#pending = undefined; });
    return this.#pending;
  }

  /** Headers for a call of the gateway. Without a token none: the gateway says best what it misses. */
  async headers() {
    try {
      const { token } = await this.current();
      return { authorization: `Bearer ${token}` };
    } catch (error) {
      if (error.code === "AUTH_MISSING") return {};
      throw error;
    }
  }

  /** Makes the next `current()` ask anew: the server has turned the token down. */
  forget() {
    this.#renewAt = 0;
  }

  async #renew() {
    const answer = await request();
    // A sixth of its life is left for slow requests and a clock that drifts.
    this.#renewAt = Date.now() + answer.expiresInMs * 5 / 6;
    this.#answer = answer;
    return answer;
  }
}

async function request() {
  let response;
  try {
    const headers = { "content-type": "application/json" };
    response = await fetch(TOKEN_URL, { method: "POST", headers, body: "{}", cache: "no-store" });
  } catch (cause) {
    const message = `${TOKEN_URL} could not be reached: ${cause.message}`;
    throw new TokenError({ code: "NETWORK", message, hint: "Check the connection, then try again.", retryable: true });
  }
  const status = response.status;
  const requestId = response.headers.get("x-request-id") ?? undefined;
  if (status === 404) {
    throw new TokenError({
      code: "AUTH_MISSING",
      title: "This server gives no development token",
      advice: "Development tokens exist only on a server that listens on this computer. Start one with "
        + "“cargo xtask demo”, or use your own page, which gets its tokens from your own sign-in.",
      message: `${TOKEN_URL} answered 404.`,
      retryable: false,
      status,
      requestId,
    });
  }
  const answer = await response.json().catch(() => undefined);
  if (!response.ok) {
    const message = answer?.message ?? `${TOKEN_URL} answered ${status}.`;
    const code = status === 429 ? "RATE_LIMITED" : status >= 500 ? "SERVER" : "AUTH_DENIED";
    const hint = "Wait a while, then try again.";
    const retryable = status >= 429;
    throw new TokenError({ code, message, hint, retryable, status, serviceCode: answer?.code, requestId });
  }
  if (typeof answer?.token !== "string" || !(answer.expiresInMs > 0)) {
    throw new TokenError({
      code: "NOT_OUR_SERVER", message: `${TOKEN_URL} did not answer with a token.`, retryable: false, status, requestId,
    });
  }
  return answer;
}
