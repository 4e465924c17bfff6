// One file straight to a bucket, by our library, by `@aws-sdk/lib-storage` and by Uppy's `@uppy/aws-s3`, taking turns in one
// Chromium: with the same parts, then as each comes.
//
// To three stores. Garage, from which every object is read back: of the clients it says little, because it is what is slow
// (`s3_garage_vs_…`). A sink that forgets (`benches/s3_sink.rs`), so that the clients and this machine's processors are what is
// measured (`s3_vs_…`, `s3_defaults_vs_…`). And the same sink made out to be 30 ms away and to take 20 MiB a second of each
// connection, nearer to a store behind the internet: how well a client fills the line (`s3_far_vs_…`).
//
// What they do differs: ours hashes every byte twice (SHA-256 of each part, tree hash) and compares what the store answers;
// lib-storage sends CRC-32 of each part besides the SHA-256 of its signature; Uppy reads no byte and sends no checksum. So that
// the price of the checksums and that of the client can be told apart, Uppy runs a second time with the same hashes computed
// and the part's sent (`…_with_sha256`); it still compares nothing with what the store answers.
//
// Below each table stands what 1 GiB costs in seconds of the processor, of Chromium's processes, the store, and whoever signs:
// it tells a client that waits from one that works.
//
// `SIZE`, `FAR_SIZE` and `GARAGE_SIZE` in MiB, `ROUNDS`, `FAR_ROUNDS` and `GARAGE_ROUNDS` make it another measurement.

import {
  CompleteMultipartUploadCommand, CreateMultipartUploadCommand, HeadObjectCommand, S3Client, UploadPartCommand,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { build } from "esbuild";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
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
const FAR_SIZE = number("FAR_SIZE", 256);
const ROUNDS = number("ROUNDS", 5);
const FAR_ROUNDS = number("FAR_ROUNDS", 3);
const GARAGE_ROUNDS = number("GARAGE_ROUNDS", 3);
const BUCKET = "photos";
const REGION = "garage";
const CHECKSUM = "x-amz-checksum-sha256";
const FAR = { DELAY_MS: "30", RATE_MIB: "20" };
const SAME = { partSize: 8 * MIB, parallel: 4 };
const PEERS = ["lib-storage", "uppy", "uppy 5"];
/** Peers that do what ours does and no application does with them. */
const HASHING = ["uppy with sha256", "uppy 5 with sha256"];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
/** How many times as fast as the peer ours is. */
const ratio = (rounds, peer) => median(rounds.map((round) => round[peer] / round.ours));
const ratios = (prefix, rounds, peers = PEERS) => Object.fromEntries(
  peers.map((peer) => [`${prefix}_vs_${peer.replace(/\W/g, "_")}`, Number(ratio(rounds, peer).toFixed(3))]),
);

const files = await scratch();
const packaged = await librarySite();
try {
  await build({
    entryPoints: [join(import.meta.dirname, "s3_page.js")], outfile: join(packaged.folder, "contenders.js"),
    bundle: true, minify: true, format: "esm", platform: "browser", target: "es2022", logLevel: "error",
    define: { "process.env.NODE_ENV": "\"production\"" },
  });
  const same = `parts of ${SAME.partSize / MIB} MiB, ${SAME.parallel} at once`;
  const usual = "parts as each cuts them, as many at once as each likes";
  const garage = await toGarage(`to Garage, ${same}; every object read back`);
  const [near, asTheyCome] = await toSink({}, SIZE, [
    { heading: `to a sink, ${same}`, rounds: ROUNDS, options: SAME, peers: [...PEERS, ...HASHING] },
    { heading: `to a sink, ${usual}`, rounds: Math.min(ROUNDS, 3), options: {} },
  ]);
  const [far] = await toSink(FAR, FAR_SIZE, [
    { heading: `to a sink ${FAR.DELAY_MS} ms away, ${FAR.RATE_MIB} MiB/s a connection, ${same}`, rounds: FAR_ROUNDS, options: SAME },
  ]);
  console.log(JSON.stringify({
    bench: "s3", ...ratios("s3", near, [...PEERS, ...HASHING]), ...ratios("s3_defaults", asTheyCome),
    ...ratios("s3_far", far), ...ratios("s3_garage", garage),
  }));
} finally {
  await packaged.remove();
  await files.remove();
}

/** To a real store, which checks what it is told and keeps what it is sent. */
async function toGarage(heading) {
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

/** To a store that costs next to nothing, as far away as `distance` says: seconds of each of the `measurements`. */
async function toSink(distance, mib, measurements) {
  const file = await makeFile(files.folder, "sink.bin", mib * MIB);
  const sink = await startSink(distance);
  try {
    const credentials = { accessKeyId: "AKIDOFTHEBENCHMARK", secretAccessKey: "of the benchmark" };
    const store = { endpoint: sink.url, region: REGION, credentials };
    return await withPage(store, file, async (upload) => {
      const results = [];
      for (const { heading, rounds, options, peers } of measurements) {
        results.push(await inTurns(heading, mib, rounds, async (contender, key) => {
          const seconds = await upload(contender, { key: `${results.length}/${key}`, ...options });
          const object = { Bucket: BUCKET, Key: `${results.length}/${key}` };
          const { ContentLength } = await clientOf(store).send(new HeadObjectCommand(object));
          assert.equal(ContentLength, mib * MIB, `what ${contender} stored`);
          return seconds;
        }, peers));
      }
      return results;
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

/**
 * Each contender in every round, beginning with another each time: what `upload` gives of each. The first round fills caches
 * and compilers.
 */
async function inTurns(heading, mib, rounds, upload, peers = PEERS) {
  const contenders = ["ours", ...peers];
  const widths = contenders.map((name) => Math.max(13, name.length + 2));
  console.log(`\n${mib} MiB ${heading}; Chromium, ${cpus().length} processors, load ${loadavg()[0].toFixed(1)}: MiB/s\n`);
  const row = (name, cell) => console.log(name.padEnd(9) + contenders.map((name, at) => cell(name).padStart(widths[at])).join(""));
  row("round", (name) => name);
  const [measured, processor] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const [seconds, busy] = [{}, {}];
    for (let turn = 0; turn < contenders.length; turn++) {
      const contender = contenders[(round + turn) % contenders.length];
      const before = processorSeconds();
      seconds[contender] = await upload(contender, `${contender}/${round}`);
      busy[contender] = ((processorSeconds() - before) * 1024) / mib;
    }
    if (round === 0) continue;
    row(`${round}`, (name) => (mib / seconds[name]).toFixed(0));
    measured.push(seconds);
    processor.push(busy);
  }
  row("ours :", (name) => (name === "ours" ? "" : ratio(measured, name).toFixed(2)));
  row("CPU s/GiB", (name) => median(processor.map((busy) => busy[name])).toFixed(2));
  return measured;
}

/**
 * What this process, which signs for Uppy, and all below it have used: Chromium, the gateway, the store. Those that ended are in
 * their parents'.
 */
function processorSeconds() {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      // After the name, which may hold anything: state, parent, and eleven fields on the times, in hundredths of a second.
      const fields = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /s, "").split(" ");
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      return [{ pid: Number(pid), parent: Number(fields[1]), ticks }];
    } catch {
      return []; // It has ended since it was listed.
    }
  });
  const below = (above) => processes.filter(({ parent }) => parent === above);
  const sum = (some) => some.reduce((all, { pid, ticks }) => all + ticks + sum(below(pid)), 0);
  return sum(processes.filter(({ pid }) => pid === process.pid)) / 100;
}

/** A client that presigns no checksum of a body it does not have. */
function clientOf({ endpoint, region, credentials }) {
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, requestChecksumCalculation: "WHEN_REQUIRED" });
}

/** What an application that uses Uppy has at its back: it opens and completes uploads, and presigns with the AWS SDK. */
function signerFor(store) {
  const client = clientOf(store);
  const command = ({ method, key, uploadId, partNumber, sha256 }) => {
    const object = { Bucket: BUCKET, Key: key };
    if (method === "PUT" && uploadId) {
      return new UploadPartCommand({ ...object, UploadId: uploadId, PartNumber: partNumber, ChecksumSHA256: sha256 });
    }
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
    "/uppy/sign": answer(async (request) => {
      const url = await getSignedUrl(client, command(request), { expiresIn: 300, unhoistableHeaders: new Set([CHECKSUM]) });
      return request.sha256 ? { url, headers: { [CHECKSUM]: request.sha256 } } : { url };
    }),
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
async function startSink(distance) {
  const flags = ["bench", "--quiet", "--package", "glacier-upload-server", "--bench", "s3_sink"];
  const [program, args] = process.env.S3_SINK ? [process.env.S3_SINK, []] : ["cargo", flags];
  const cwd = resolve(import.meta.dirname, "../..");
  const child = spawn(program, args, { cwd, stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, ...distance } });
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout });
  const [url] = await Promise.race([
    once(lines, "line"), ended.then(([code]) => { throw new Error(`the sink ended with ${code} before it listened`); }),
  ]);
  // It ends with its input.
  return { url, stop: () => child.stdin.end() };
}
