// One file through the library, and the same slices through a bare `fetch` PUT to the same server without hashing,
// taking turns. The server keeps what a bare PUT brings as it keeps a part: in a file, flushed before it answers. A
// second bare PUT, whose bytes are forgotten, shows the network alone. Then browser memory for a small and a large file.
//
// The driver starts the browser and chooses the file; it measures nothing and stays silent while the page works.

import { cpus } from "node:os";
import { launch } from "../e2e/browsers.mjs";
import { makeFile, MIB, scratch } from "../e2e/files.mjs";
import { startGateway, VAULT } from "../e2e/gateway.mjs";
import { residentMib } from "../e2e/memory.mjs";
import { librarySite } from "../e2e/site.mjs";

const ROUNDS = 3;
const CONCURRENCY = 4;
const SMALL = 256 * MIB;
const LARGE = 2048 * MIB;

const files = await scratch();
const site = await librarySite();
const gateway = await startGateway({ page: site.folder });
try {
  const small = await makeFile(files.folder, "small.bin", SMALL);
  const large = await makeFile(files.folder, "large.bin", LARGE);
  const speed = await compare(large);
  const memory = { small: await peakMemory(small), large: await peakMemory(large) };
  report(speed, memory);
} finally {
  await gateway.stop();
  await site.remove();
  await files.remove();
}

/** Seconds of each run, and the longest tasks of the main thread while the library worked. */
async function compare(file) {
  const browser = await opened(file);
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    const bare = () => browser.evaluate(bareFetch, ["/bench/file", CONCURRENCY]);
    const ours = () => browser.evaluate(library, [VAULT, CONCURRENCY]);
    // Turns change places, so that neither always meets a cold cache.
    const pair = round % 2 === 0 ? { bare: await bare(), ours: await ours() } : { ours: await ours(), bare: await bare() };
    rounds.push({ ...pair, forgotten: await browser.evaluate(bareFetch, ["/bench/sink", CONCURRENCY]) });
  }
  await browser.close();
  return rounds;
}

/** The most memory that the browser's processes held together, beyond what they held with the page open. */
async function peakMemory(file) {
  const browser = await opened(file);
  const idle = await residentMib(browser.pid);
  let peak = idle;
  let sampling = true;
  const sampler = (async () => {
    while (sampling) {
      peak = Math.max(peak, await residentMib(browser.pid));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  await browser.evaluate(library, [VAULT, CONCURRENCY]);
  sampling = false;
  await sampler;
  await browser.close();
  return { idle, peak: peak - idle };
}

async function opened(file) {
  const browser = await launch("chromium");
  await browser.open(`${gateway.url}/`);
  await browser.waitFor(() => document.documentElement.dataset.ready);
  await browser.setFiles("#files", [file]);
  await browser.evaluate(() => library.planParts(1)); // The wasm module is compiled before the clock starts.
  return browser;
}

/** In the page: the upload as any customer starts it. */
async function library(vault, concurrency) {
  const file = document.querySelector("#files").files[0];
  const longTasks = [0];
  const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ entryTypes: ["longtask"] });
  let [longestGap, beat] = [0, performance.now()];
  const pulse = setInterval(() => {
    const now = performance.now();
    longestGap = Math.max(longestGap, now - beat - 10);
    beat = now;
  }, 10);
  const started = performance.now();
  const options = { endpoint: "/v1", target: { vault }, concurrency, getHeaders: globalThis.bearer };
  const uploader = await globalThis.library.createUploader(options);
  const { size } = await uploader.add(file).done();
  const seconds = (performance.now() - started) / 1000;
  if (size !== file.size) throw new Error(`stored ${size} of ${file.size} bytes`);
  clearInterval(pulse);
  observer.disconnect();
  await uploader.close();
  return { seconds, longestTask: Math.max(...longTasks), longestGap };
}

/** In the page: the same slices, as many at once, without hash or signature. */
async function bareFetch(path, concurrency) {
  const file = document.querySelector("#files").files[0];
  const { partSize, parts } = await globalThis.library.planParts(file.size);
  const started = performance.now();
  let next = 0;
  const send = async () => {
    while (next < parts) {
      const start = partSize * next++;
      const body = file.slice(start, Math.min(start + partSize, file.size));
      const response = await fetch(path, { method: "PUT", body });
      if (!response.ok) throw new Error(`${path} answered ${response.status}`);
      await response.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, send));
  return { seconds: (performance.now() - started) / 1000 };
}

function report(rounds, memory) {
  const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
  const rate = ({ seconds }) => LARGE / MIB / seconds;
  console.log(`\n2 GiB over loopback, Chromium, ${CONCURRENCY} parts in flight, ${cpus().length} processors\n`);
  console.log("round   bare fetch      library    ratio   forgotten    ratio   longest task   longest gap");
  for (const [index, { bare, ours, forgotten }] of rounds.entries()) {
    const columns = [
      `${index + 1}`.padStart(5), `${rate(bare).toFixed(0)} MiB/s`.padStart(12), `${rate(ours).toFixed(0)} MiB/s`.padStart(12),
      (bare.seconds / ours.seconds).toFixed(2).padStart(8), `${rate(forgotten).toFixed(0)} MiB/s`.padStart(12),
      (forgotten.seconds / ours.seconds).toFixed(2).padStart(9), `${ours.longestTask.toFixed(0)} ms`.padStart(14),
      `${ours.longestGap.toFixed(0)} ms`.padStart(13),
    ];
    console.log(columns.join(""));
  }
  console.log("\nA task counts from 50 ms. A gap is how late a timer came: waiting for a processor counts in it.\n");
  console.log("browser memory     page open    more at the peak");
  for (const [name, { idle, peak }] of [["256 MiB file", memory.small], ["2 GiB file", memory.large]]) {
    console.log(`${name.padEnd(16)} ${idle.toFixed(0).padStart(7)} MiB ${peak.toFixed(0).padStart(15)} MiB`);
  }
  // No entry means that no task took 50 ms: then the gap is the better bound, as far as it is below that.
  const longest = Math.max(...rounds.map(({ ours }) => ours.longestTask || Math.min(ours.longestGap, 50)));
  const ratio = median(rounds.map(({ bare, ours }) => bare.seconds / ours.seconds));
  console.log(JSON.stringify({
    bench: "upload",
    ratio_bare_fetch: Number(ratio.toFixed(3)),
    ratio_forgotten: Number(median(rounds.map(({ forgotten, ours }) => forgotten.seconds / ours.seconds)).toFixed(3)),
    longest_task_ms: Math.round(longest),
    peak_memory_mib: Math.round(memory.large.peak),
    peak_memory_mib_of_256_mib: Math.round(memory.small.peak),
  }));
}
