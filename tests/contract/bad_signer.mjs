// Back ends that nobody should run, for the tests of gateway_conformance. All but one stand in front of a good gateway
// (GATEWAY) and spoil one thing (VICE); `signs-strings` is a signer as they are found in samples: it signs what it is given.

import { createHmac } from "node:crypto";
import { createServer } from "node:http";

const { VICE, GATEWAY } = process.env;
const FIELDS = new Set(["op", "vault", "uploadId", "range", "payloadHash", "treeHash", "partSize", "size", "description", "marker"]);

const VICES = {
  "signs-strings": {},
  "takes-unknown-fields": {
    batch: (batch) => batch.intents?.forEach?.((intent) => {
      for (const name of Object.keys(intent ?? {})) if (!FIELDS.has(name)) delete intent[name];
    }),
  },
  "leaves-out-bad-intents": {
    async refused(batch, status, ask) {
      if (status !== 422 || !(batch?.intents?.length > 1)) return undefined;
      const requests = [];
      for (const intent of batch.intents) {
        const { status, json } = await ask({ intents: [intent] });
        if (status === 200) requests.push(...json.requests);
      }
      return requests.length ? { requests } : undefined;
    },
  },
  "loses-the-order": { answer: (json) => json.requests?.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1) },
  "signs-without-a-token": { headers: (headers, good) => (headers.authorization ??= good) },
  "lets-every-page-in": { sends: (headers, origin) => (headers["access-control-allow-origin"] = origin ?? "*") },
  "takes-text": { headers: (headers) => (headers["content-type"] = "application/json") },
  "names-the-host": {
    answer: (json, incoming) => {
      const host = incoming.headers["x-forwarded-host"];
      json.requests?.forEach((request) => host && (request.url = new URL(request.url, `https://${host}`).href));
    },
  },
  "leaves-the-payload-open": {
    answer: (json) => json.requests?.forEach((request) => (request.headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD")),
  },
  "signs-too-little": {
    answer: (json) => json.requests?.forEach(({ headers }) =>
      (headers.authorization = headers.authorization.replace("x-amz-content-sha256;", ""))),
  },
  "lives-too-long": { answer: (json) => json.requests?.forEach((request) => (request.expiresInMs = 7 * 86_400_000)) },
  "repeats-what-was-sent": { refusal: (json, text) => (json.message = `cannot read ${text}`) },
  "fails-with-500": { status: (status) => (status === 422 ? 500 : status) },
  "forgets-the-vault": { batch: (batch) => batch.intents?.forEach?.((intent) => intent?.vault && (intent.vault = "photos")) },
};
if (!Object.hasOwn(VICES, VICE)) throw new Error(`no vice ${VICE}`);
const vice = VICES[VICE];

async function ask(incoming, headers, body) {
  const url = new URL(incoming.url, GATEWAY);
  const own = ["connection", "content-length", "transfer-encoding", "host", "x-forwarded-host"];
  const sent = Object.entries(headers).filter(([name]) => !own.includes(name));
  const bodiless = ["GET", "HEAD"].includes(incoming.method);
  const answer = await fetch(url, { method: incoming.method, headers: sent, body: bodiless ? undefined : body });
  const text = await answer.text();
  let json;
  try {
    json = JSON.parse(text);
  } catch {}
  return { status: answer.status, headers: Object.fromEntries(answer.headers), text, json };
}

/** As many samples do it: the page says what is to be signed. */
function signsStrings(text, outgoing) {
  const { toSign, to_sign: other, intents } = JSON.parse(text || "{}");
  const signature = createHmac("sha256", "secret").update(String(toSign ?? other)).digest("hex");
  const one = () => ({ method: "PUT", url: "/", headers: { authorization: signature }, expiresInMs: 240_000 });
  outgoing.writeHead(200, { "content-type": "application/json", "access-control-allow-origin": "*" });
  outgoing.end(JSON.stringify({ signature, requests: Array.from(intents ?? [], one) }));
}

let good;
createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  let body = Buffer.concat(chunks);
  if (VICE === "signs-strings") {
    try {
      return signsStrings(body.toString(), outgoing);
    } catch {
      return outgoing.writeHead(500).end();
    }
  }
  const headers = { ...incoming.headers };
  good ??= headers.authorization;
  vice.headers?.(headers, good);
  let batch;
  try {
    batch = JSON.parse(body);
    vice.batch?.(batch);
    if (vice.batch) body = JSON.stringify(batch);
  } catch {}
  const answer = await ask(incoming, headers, body);
  if (answer.status === 200 && answer.json) vice.answer?.(answer.json, incoming);
  if (answer.status >= 400 && answer.json) vice.refusal?.(answer.json, body.toString().slice(0, 300));
  const instead = await vice.refused?.(batch, answer.status, (batch) => ask(incoming, headers, JSON.stringify(batch)));
  const sent = { ...answer.headers };
  for (const name of ["content-length", "connection", "transfer-encoding", "date"]) delete sent[name];
  vice.sends?.(sent, incoming.headers.origin);
  const status = instead ? 200 : (vice.status?.(answer.status) ?? answer.status);
  outgoing.writeHead(status, sent).end(answer.json ? JSON.stringify(instead ?? answer.json) : answer.text);
}).listen(0, "127.0.0.1", function () {
  console.log(`listening on http://127.0.0.1:${this.address().port}`);
});
