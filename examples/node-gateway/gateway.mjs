// A gateway for uploads: a token is checked, intents are checked against the published contract, requests are signed.
import { createHash, createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import Ajv from "ajv/dist/2020.js";
import aws4 from "aws4";

const { STORE_URL, ACCOUNT = "-", REGION = "us-east-1", TOKEN_KEY, PAGE_ORIGIN, PORT = "8081" } = process.env;
const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY };

const EMPTY = createHash("sha256").digest("hex");
const isRange = (text) => ((first, last) => first <= last)(...text.split("-").map(BigInt));
const formats = { uint64: true, "byte-range": isRange, "date-time": true, "json-object": true };
const contract = JSON.parse(readFileSync(new URL("../../docs/openapi.json", import.meta.url)));
const ajv = new Ajv({ formats, strict: false }).addSchema(contract, "contract");
// Each operation: whether an intent is one of the contract, and the method, end of path and headers it stands for.
const OPERATIONS = new Map(Object.entries({
  InitiateMultipartUpload: (i) => ["POST", "", { "x-amz-part-size": i.partSize, "x-amz-archive-description": i.description }],
  UploadMultipartPart: (i) => ["PUT", `/${i.uploadId}`,
    { "content-range": `bytes ${i.range}/*`, "x-amz-content-sha256": i.payloadHash, "x-amz-sha256-tree-hash": i.treeHash }],
  ListParts: (i) => ["GET", `/${i.uploadId}${i.marker ? `?marker=${encodeURIComponent(i.marker)}` : ""}`, {}],
  CompleteMultipartUpload: (i) => ["POST", `/${i.uploadId}`,
    { "x-amz-archive-size": i.size, "x-amz-sha256-tree-hash": i.treeHash }],
  AbortMultipartUpload: (i) => ["DELETE", `/${i.uploadId}`, {}],
}).map(([op, request]) => [op, { isIntent: ajv.getSchema(`contract#/components/schemas/${op}`), request }]));

const refuse = (status, code, intent) => { throw Object.assign(new Error(), { status, code, intent }); };

function claims(authorization = "") {
  const [, token] = /^bearer (\S+)$/i.exec(authorization) ?? refuse(401, "token_missing");
  const signed = token.slice(0, token.lastIndexOf("."));
  const expected = `${signed}.${createHmac("sha256", Buffer.from(TOKEN_KEY, "hex")).update(signed).digest("base64url")}`;
  const [given, ours] = [Buffer.from(token), Buffer.from(expected)];
  // Whatever algorithm the token names: this key is good for one.
  if (given.length !== ours.length || !timingSafeEqual(given, ours)) refuse(401, "token_invalid");
  const claims = JSON.parse(Buffer.from(signed.split(".")[1], "base64url"));
  return claims.exp > Date.now() / 1000 ? claims : refuse(401, "token_expired");
}

function sign(intent, index, { vaults = [], ops, maxArchiveBytes }) {
  const operation = OPERATIONS.get(intent?.op);
  if (!operation?.isIntent(intent)) refuse(422, "invalid_request", index);
  const isGranted = vaults.includes(intent.vault) && ops.some((op) => op === "upload" || op === intent.op);
  if (!isGranted) refuse(403, "operation_denied", index);
  const end = intent.range ? Number(intent.range.split("-")[1]) + 1 : 0;
  if ((intent.size ?? end) > maxArchiveBytes) refuse(403, "limit_exceeded", index);
  const [method, rest, own] = operation.request(intent);
  const all = { "x-amz-content-sha256": EMPTY, "x-amz-glacier-version": "2012-06-01", host: new URL(STORE_URL).host, ...own };
  const headers = Object.fromEntries(Object.entries(all).flatMap(([name, value]) => ((value ?? "") === "" ? [] : [[name, `${value}`]])));
  const path = `/${ACCOUNT}/vaults/${intent.vault}/multipart-uploads${rest}`;
  const { host, ...signed } = aws4.sign({ method, path, headers, service: "glacier", region: REGION }, credentials).headers;
  return { method, url: STORE_URL + path, headers: signed, expiresInMs: 240_000 };
}

async function answer(request) {
  if (request.url !== "/v1/sign") refuse(404, "not_found");
  if (request.method !== "POST") refuse(405, "method_not_allowed");
  const grant = claims(request.headers.authorization);
  const isJson = /^application\/json *(;|$)/i.test(request.headers["content-type"]) && !request.headers["content-encoding"];
  if (!isJson) refuse(415, "unsupported_media_type");
  const chunks = [];
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk);
    if (chunks.reduce((sum, { length }) => sum + length, 0) > 262_144) refuse(413, "too_large");
  }
  const batch = await new Response(Buffer.concat(chunks)).json().catch(() => refuse(400, "malformed_json"));
  const isBatch = Array.isArray(batch?.intents) && batch.intents.length > 0 && Object.keys(batch).length === 1;
  if (!isBatch) refuse(422, "invalid_request");
  if (batch.intents.length > 100) refuse(413, "too_large");
  return { requests: batch.intents.map((intent, index) => sign(intent, index, grant)) };
}

createServer(async (request, response) => {
  response.setHeader("x-request-id", randomUUID());
  const isPage = PAGE_ORIGIN !== undefined && request.headers.origin === PAGE_ORIGIN;
  const headers = { vary: "origin", "cache-control": "no-store", "content-type": "application/json" };
  if (isPage) headers["access-control-allow-origin"] = PAGE_ORIGIN;
  if (isPage) headers["access-control-allow-headers"] = "authorization, content-type";
  if (request.method === "OPTIONS") return response.writeHead(isPage ? 204 : 403, headers).end();
  const [status, body] = await answer(request).then((signed) => [200, signed], ({ status = 500, code = "internal", intent }) =>
    [status, { code, message: `refused: ${code}`, requestId: response.getHeader("x-request-id"), intent }]);
  if (status === 401) headers["www-authenticate"] = "Bearer";
  response.writeHead(status, headers).end(JSON.stringify(body));
}).listen(Number(PORT), "127.0.0.1", function () {
  console.log(`listening on http://127.0.0.1:${this.address().port}`);
});
