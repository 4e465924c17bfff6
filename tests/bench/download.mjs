// One archive on its way back through the library, and the same output through a bare `fetch` into the same target
// without any hash, taking turns: once into a stream that forgets what it gets, once into a private file.
//
// The driver starts the browser; it measures nothing and stays silent while the page works.

import { cpus } from "node:os";
import { launch } from "../e2e/browsers.mjs";
import { makeFile, MIB, scratch } from "../e2e/files.mjs";
import { startGateway, VAULT } from "../e2e/gateway.mjs";
import { bearer, retrieve } from "../e2e/jobs.mjs";
import { residentMib } from "../e2e/memory.mjs";
import { librarySite } from "../e2e/site.mjs";

const ROUNDS = 3;
const SIZE = 512 * MIB;

const files = await scratch();
const site = await librarySite();
const gateway = await startGateway({ page: site.folder });
const browser = await launch("chromium");
try {
  await browser.open(`${gateway.url}/`);
  await browser.waitFor(() => document.documentElement.dataset.ready && document.documentElement.dataset.downloads);
  await browser.setFiles("#files", [await makeFile(files.folder, "large.bin", SIZE)]);
  const archiveId = await browser.evaluate(upload, [VAULT, bearer(gateway)]);
  const job = await retrieve(gateway, archiveId);
  const rounds = { stream: [], file: [] };
  let peak = 0;
  const idle = await residentMib(browser.pid);
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of ["stream", "file"]) {
      const through = () => ({ vault: VAULT, bearer: bearer(gateway) });
      const bare = () => browser.evaluate(bareFetch, [through(), job, kind]);
      const ours = () => browser.evaluate(library, [through(), job, kind]);
      // Turns change places, so that neither always meets a cold cache.
      const pair = round % 2 === 0 ? { bare: await bare(), ours: await ours() } : { ours: await ours(), bare: await bare() };
      rounds[kind].push(pair);
      peak = Math.max(peak, (await residentMib(browser.pid)) - idle);
    }
  }
  report(rounds, peak);
} finally {
  await browser.close();
  await gateway.stop();
  await site.remove();
  await files.remove();
}

async function upload(vault, authorization) {
  const options = { endpoint: "/v1", target: { vault }, getHeaders: () => ({ authorization }) };
  const uploader = await globalThis.library.createUploader(options);
  const { archiveId } = await uploader.add(document.querySelector("#files").files[0]).done();
  await uploader.close();
  return archiveId;
}

/** In the page: the download as any customer starts it. */
async function library(through, job, kind) {
  const target = kind === "file" ? await globalThis.file("ours.bin") : new WritableStream();
  const begun = await globalThis.jobOf(through, job);
  const started = performance.now();
  const { size, verified } = await begun.download(target).done();
  const seconds = (performance.now() - started) / 1000;
  if (size !== job.ArchiveSizeInBytes || verified !== "whole") throw new Error(`${verified}, ${size} bytes`);
  return seconds;
}

/** In the page: one request for everything, into the target as it comes. */
async function bareFetch({ vault, bearer }, { JobId, ArchiveSizeInBytes }, kind) {
  const headers = { "content-type": "application/json", authorization: bearer };
  const body = JSON.stringify({ intents: [{ op: "GetJobOutput", vault, jobId: JobId }] });
  let size = 0;
  const counted = new TransformStream({ transform: (chunk, to) => { size += chunk.length; to.enqueue(chunk); } });
  const target = kind === "file" ? await (await globalThis.file("bare.bin")).createWritable() : new WritableStream();
  const started = performance.now();
  const signed = await (await fetch("/v1/sign", { method: "POST", headers, body })).json();
  const [{ url, ...request }] = signed.requests;
  const response = await fetch(new URL(url, new URL("/v1/sign", location.href)), request);
  await response.body.pipeThrough(counted).pipeTo(target);
  const seconds = (performance.now() - started) / 1000;
  if (size !== ArchiveSizeInBytes) throw new Error(`${response.status}, ${size} bytes`);
  return seconds;
}

function report(rounds, peak) {
  const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
  const rate = (seconds) => `${(SIZE / MIB / seconds).toFixed(0)} MiB/s`.padStart(12);
  console.log(`\n512 MiB over loopback, Chromium, ${cpus().length} processors\n`);
  console.log("into     round   bare fetch     library   ratio");
  for (const [kind, pairs] of Object.entries(rounds)) {
    for (const [index, { bare, ours }] of pairs.entries()) {
      console.log(`${kind.padEnd(6)} ${`${index + 1}`.padStart(7)} ${rate(bare)} ${rate(ours)} ${(bare / ours).toFixed(2).padStart(7)}`);
    }
  }
  const ratio = (kind) => Number(median(rounds[kind].map(({ bare, ours }) => bare / ours)).toFixed(3));
  console.log(`\nafter a round the browser had ${peak.toFixed(0)} MiB more than before the first, at the most\n`);
  console.log(JSON.stringify({
    bench: "download",
    ratio_bare_fetch_stream: ratio("stream"),
    ratio_bare_fetch_file: ratio("file"),
    memory_mib: Math.round(peak),
  }));
}
