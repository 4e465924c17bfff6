// One file straight to a bucket, by our library, by `@aws-sdk/lib-storage` and by Uppy's `@uppy/aws-s3`, taking turns in one
// Chromium: with the same parts, then as each comes.
//
// To two stores: a sink that forgets (`benches/s3_sink.rs`), so that the client is what is measured, and the ratios are its;
// and Garage, where every object is read back and compared. Ours hashes every byte twice (SHA-256 of each part, tree hash) and
// its answers are checked; lib-storage sends CRC-32 of each part besides the SHA-256 of its signature; Uppy sends no checksum.
//
// `SIZE` and `GARAGE_SIZE` in MiB, `ROUNDS` and `GARAGE_ROUNDS` make it another measurement.

import {
  CompleteMultipartUploadCommand, CreateMultipartUploadCommand, HeadObjectCommand, S3Client, UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { build } from "esbuild";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpus, loadavg } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { launch } from "../e2e/browsers.mjs";
import { fileFacts, makeFile, MIB, scratch } from "../e2e/files.mjs";
import { startGarage } from "../e2e/garage.mjs";
import { startGateway } from "../e2e/gateway.mjs";
import { librarySite, startSite } from "../e2e/site.mjs";

const number = (name, usual) => Number(process.env[name] ?? usual);
const SIZE = number("SIZE", 1024);
const GARAGE_SIZE = number("GARAGE_SIZE", 48);
const ROUNDS = number("ROUNDS", 5);
const GARAGE_ROUNDS = number("GARAGE_ROUNDS", 3);
const BUCKET = "photos";
const REGION = "garage";
const SAME = { partSize: 8 * MIB, parallel: 4 };
const PEERS = ["lib-storage", "uppy", "uppy 5"];
const CONTENDERS = ["ours", ...PEERS];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const ratioOf = (rounds, peer) => median(rounds.map((round) => round[peer] / round.ours));
const ratios = (rounds) => PEERS.map((peer) => Number(ratioOf(rounds, peer).toFixed(3)));

const files = await scratch();
const packaged = await librarySite();
try {
  await build({
    entryPoints: [join(import.meta.dirname, "s3_page.js")], outfile: join(packaged.folder, "contenders.js"),
    bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", logLevel: "error",
    define: { "process.env.NODE_ENV": "\"production\"" },
  });
  const ofGarage = await toGarage();
  const [same, usual] = await toSink();
  const [lib_storage, uppy, uppy_5] = ratios(same);
  const garage = ratios(ofGarage);
  const asTheyCome = ratios(usual);
  console.log(JSON.stringify({
    bench: "s3", s3_vs_lib_storage: lib_storage, s3_vs_uppy: uppy, s3_vs_uppy_5: uppy_5,
    defaults_vs_lib_storage: asTheyCome[0], defaults_vs_uppy: asTheyCome[1], defaults_vs_uppy_5: asTheyCome[2],
    garage_vs_lib_storage: garage[0], garage_vs_uppy: garage[1], garage_vs_uppy_5: garage[2],
  }));
} finally {
  await packaged.remove();
  await files.remove();
}

/** To a real store, which checks what it is told and keeps what it is sent. */
async function toGarage() {
  const file = await makeFile(files.folder, "garage.bin", GARAGE_SIZE * MIB);
  const { size, sha256 } = await fileFacts(file);
  const garage = await startGarage(BUCKET);
  try {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = garage.env;
    const store = { endpoint: garage.url, region: REGION, credentials: { accessKeyId, secretAccessKey } };
    return await withPage(store, file, async (upload, site) => {
      await garage.ask("cors", JSON.stringify([{
        AllowedOrigins: [site], AllowedMethods: ["PUT", "POST", "GET", "HEAD", "DELETE"], AllowedHeaders: ["*"],
        ExposeHeaders: ["ETag", "x-amz-checksum-sha256"], MaxAgeSeconds: 3000,
      }]));
      const heading = `${GARAGE_SIZE} MiB to Garage, parts of 8 MiB, 4 at once; every object read back`;
      return inTurns(heading, GARAGE_SIZE, GARAGE_ROUNDS, async (contender, key) => {
        const seconds = await upload(contender, { key, ...SAME });
        const stored = await garage.ask("stored", key);
        assert.deepEqual([stored.size, stored.sha256], [size, sha256], `what ${contender} stored`);
        return seconds;
      });
    });
  } finally {
    await garage.stop();
  }
}

/** To a store that costs next to nothing: the same parts for each, then what each takes by itself. */
async function toSink() {
  const file = await makeFile(files.folder, "sink.bin", SIZE * MIB);
  const sink = await startSink();
  try {
    const credentials = { accessKeyId: "AKIDOFTHEBENCHMARK", secretAccessKey: "of the benchmark" };
    const store = { endpoint: sink.url, region: REGION, credentials };
    return await withPage(store, file, async (upload) => {
      const run = (options) => async (contender, key) => {
        const seconds = await upload(contender, { key, ...options });
        const { ContentLength } = await clientOf(store).send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
        assert.equal(ContentLength, SIZE * MIB, `what ${contender} stored`);
        return seconds;
      };
      const same = `${SIZE} MiB to a sink, parts of 8 MiB, 4 at once`;
      const usual = `${SIZE} MiB to a sink, parts as each cuts them and as many at once as each likes`;
      return [await inTurns(same, SIZE, ROUNDS, run(SAME)), await inTurns(usual, SIZE, ROUNDS, run({}))];
    });
  } finally {
    sink.stop();
  }
}

/** A gateway, a page with all contenders, and the file chosen in it. */
async function withPage(store, file, measure) {
  const site = await startSite(packaged.folder, { answers: signerFor(store) });
  const gateway = await startGateway({
    page: packaged.folder,
    args: [
      "--s3-endpoint", store.endpoint, "--s3-region", store.region, "--bucket", BUCKET, "--allow-origin", site.url,
      "--subject-rate", "0",
    ],
    env: { AWS_ACCESS_KEY_ID: store.credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: store.credentials.secretAccessKey },
  });
  const browser = await launch("chromium");
  try {
    await browser.open(site.url);
    await browser.waitFor(() => document.documentElement.dataset.ready);
    await browser.evaluate(() => import("/contenders.js").then(() => {}));
    await browser.setFiles("#files", [file]);
    const upload = (contender, options) => {
      const claims = { vaults: [], objects: [`${BUCKET}/`], ops: ["upload", "read"] };
      const authorization = `Bearer ${gateway.token(claims)}`;
      const all = { store, bucket: BUCKET, gateway: `${gateway.url}/v1`, authorization, ...options };
      return browser.evaluate((contender, options) => globalThis.uploadBy(contender, options), [contender, all]);
    };
    return await measure(upload, site.url);
  } finally {
    await browser.close();
    await gateway.stop();
    await site.stop();
  }
}

/** Each contender in every round, beginning with another each time. The first round fills caches and compilers. */
async function inTurns(heading, mib, rounds, upload) {
  console.log(`\n${heading}; Chromium, ${cpus().length} processors, load ${loadavg()[0].toFixed(1)}: MiB/s\n`);
  console.log(`round${CONTENDERS.map((name) => name.padStart(14)).join("")}`);
  const row = (name, seconds) =>
    console.log(`${name.padStart(5)}${CONTENDERS.map((name) => (mib / seconds[name]).toFixed(0).padStart(14)).join("")}`);
  const measured = [];
  for (let round = 0; round <= rounds; round++) {
    const seconds = {};
    for (let turn = 0; turn < CONTENDERS.length; turn++) {
      const contender = CONTENDERS[(round + turn) % CONTENDERS.length];
      seconds[contender] = await upload(contender, `${heading.length}/${contender}/${round}`);
    }
    if (round === 0) continue;
    row(`${round}`, seconds);
    measured.push(seconds);
  }
  const ratio = (name) => (name === "ours" ? "1" : ratioOf(measured, name).toFixed(2));
  console.log(`ours is as fast as ${CONTENDERS.slice(1).map((name) => `${name} x ${ratio(name)}`).join(", ")}`);
  return measured;
}

/** A client that presigns no checksum of a body it does not have. */
function clientOf({ endpoint, region, credentials }) {
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, requestChecksumCalculation: "WHEN_REQUIRED" });
}

/** What an application that uses Uppy has at its back: it opens and completes uploads, and presigns with the AWS SDK. */
function signerFor(store) {
  const client = clientOf(store);
  const command = ({ method, key, uploadId, partNumber }) => {
    const object = { Bucket: BUCKET, Key: key };
    if (method === "PUT" && uploadId) return new UploadPartCommand({ ...object, UploadId: uploadId, PartNumber: partNumber });
    if (method === "POST" && uploadId) return new CompleteMultipartUploadCommand({ ...object, UploadId: uploadId });
    if (method === "POST") return new CreateMultipartUploadCommand(object);
    throw new Error(`Uppy asked for ${method}`);
  };
  const answer = (work) => async (request, response) => {
    let [status, result] = [200];
    try {
      let text = "";
      for await (const chunk of request) text += chunk;
      result = await work(JSON.parse(text));
    } catch (error) {
      [status, result] = [500, { error: String(error) }];
    }
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(result));
  };
  return {
    "/uppy/sign": answer(async (request) => ({ url: await getSignedUrl(client, command(request), { expiresIn: 300 }) })),
    "/uppy/create": answer(async ({ key }) => {
      const { UploadId } = await client.send(command({ method: "POST", key }));
      return { uploadId: UploadId, key };
    }),
    "/uppy/complete": answer(async ({ key, uploadId, parts }) => {
      const Parts = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
      const upload = { Bucket: BUCKET, Key: key, UploadId: uploadId, MultipartUpload: { Parts } };
      const { Location } = await client.send(new CompleteMultipartUploadCommand(upload));
      return { location: Location };
    }),
  };
}

/** The sink that `S3_SINK` names, or the one that is built here. */
async function startSink() {
  const flags = ["bench", "--quiet", "--package", "glacier-upload-server", "--bench", "s3_sink"];
  const [program, args] = process.env.S3_SINK ? [process.env.S3_SINK, []] : ["cargo", flags];
  const child = spawn(program, args, { cwd: resolve(import.meta.dirname, "../.."), stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout });
  const [url] = await Promise.race([
    once(lines, "line"), ended.then(([code]) => { throw new Error(`the sink ended with ${code} before it listened`); }),
  ]);
  // It ends with its input.
  return { url, stop: () => child.stdin.end() };
}
