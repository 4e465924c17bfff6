// A gateway for uploads: a token is checked, intents are checked against the published contract, requests are signed.
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import Ajv from "ajv/dist/2020.js";
import aws4 from "aws4";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { jwtVerify } from "jose";

const { STORE_URL, ACCOUNT = "-", REGION = "us-east-1", TOKEN_KEY, PAGE_ORIGIN = [], PORT = "8081" } = process.env;
const OF_NOTHING = { "x-amz-content-sha256": createHash("sha256").digest("hex"), "x-amz-glacier-version": "2012-06-01" };
const isRange = (text) => ((first, last) => first <= last)(...text.split("-").map(BigInt));
const contract = JSON.parse(readFileSync(new URL("../../docs/openapi.json", import.meta.url)));
const ajv = new Ajv({ formats: { uint64: true, "byte-range": isRange }, strict: false }).addSchema(contract, "contract");
// Each operation: whether an intent is one of the contract, and the method, end of path and headers it stands for.
const OPERATIONS = new Map(Object.entries({
  InitiateMultipartUpload: (i) => ["POST", "",
    { "x-amz-part-size": `${i.partSize}`, "x-amz-archive-description": i.description ?? "" }],
  UploadMultipartPart: (i, at) => ["PUT", at,
    { "content-range": `bytes ${i.range}/*`, "x-amz-content-sha256": i.payloadHash, "x-amz-sha256-tree-hash": i.treeHash }],
  ListParts: (i, at) => ["GET", i.marker ? `${at}?marker=${encodeURIComponent(i.marker)}` : at],
  CompleteMultipartUpload: (i, at) => ["POST", at, { "x-amz-archive-size": `${i.size}`, "x-amz-sha256-tree-hash": i.treeHash }],
  AbortMultipartUpload: (i, at) => ["DELETE", at],
}).map(([op, request]) => [op, { isIntent: ajv.getSchema(`contract#/components/schemas/${op}`), request }]));

const refuse = (status, code, intent) => { throw Object.assign(new Error(), { refusal: { status, code, intent } }); };

function sign(intent, index, { vaults = [], ops = [], maxArchiveBytes = 0 }) {
  const operation = OPERATIONS.get(intent?.op);
  if (!operation?.isIntent(intent)) refuse(422, "invalid_request", index);
  const isGranted = vaults.includes(intent.vault) && (ops.includes("upload") || ops.includes(intent.op));
  if (!isGranted) refuse(403, "operation_denied", index);
  const size = intent.size ?? (intent.range ? Number(intent.range.split("-")[1]) + 1 : 0);
  if (size > maxArchiveBytes) refuse(403, "limit_exceeded", index);
  const [method, rest, own] = operation.request(intent, `/${intent.uploadId}`);
  const path = `/${ACCOUNT}/vaults/${intent.vault}/multipart-uploads${rest}`;
  const given = { method, host: new URL(STORE_URL).host, path, headers: { ...OF_NOTHING, ...own } };
  const { Host, ...headers } = aws4.sign({ ...given, service: "glacier", region: REGION }).headers; // By the environment's key.
  return { method, url: STORE_URL + path, headers, expiresInMs: 240_000 };
}

const app = new Hono().use(cors({ origin: PAGE_ORIGIN, allowMethods: ["POST"] }));
app.post("/v1/sign", bodyLimit({ maxSize: 262_144, onError: () => refuse(413, "too_large") }), async (c) => {
  const [, token] = /^bearer (\S+)$/i.exec(c.req.header("authorization")) ?? refuse(401, "token_missing");
  const verified = jwtVerify(token, Buffer.from(TOKEN_KEY, "hex"), { algorithms: ["HS256"], requiredClaims: ["exp"] });
  const { payload } = await verified.catch((e) => refuse(401, e.name === "JWTExpired" ? "token_expired" : "token_invalid"));
  const isJson = /^application\/json *(;|$)/i.test(c.req.header("content-type")) && !c.req.header("content-encoding");
  if (!isJson) refuse(415, "unsupported_media_type");
  const batch = await c.req.json().catch(() => refuse(400, "malformed_json"));
  if (!Array.isArray(batch?.intents) || !batch.intents.length || Object.keys(batch).length > 1) refuse(422, "invalid_request");
  if (batch.intents.length > 100) refuse(413, "too_large");
  const requests = batch.intents.map((intent, index) => sign(intent, index, payload));
  return c.json({ requests }, 200, { "cache-control": "no-store" });
});
app.onError(({ refusal: { status, code, intent } = { status: 500, code: "internal" } }, c) =>
  c.json({ code, message: `refused: ${code}`, requestId: randomUUID(), intent }, status, { "www-authenticate": "Bearer" }));
const listening = ({ port }) => console.log(`listening on http://127.0.0.1:${port}`);
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(PORT) }, listening);
