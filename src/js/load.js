// Finds the wasm file and the worker, which is all that JavaScript has to do here: bundlers recognise only the literal
// forms below, and each of them fails somewhere (another origin, a bundler that moves neither file). What fails is
// tried again from `inline.js`, which holds both and is loaded only then.

import { UploadError } from "./error.js";
import init from "./glacier_upload.js";

/** How long a worker may take to say that it is ready. */
const READY_MS = 15_000;

let started;

/** Compiles and starts the wasm module once. Resolves with the compiled module, which workers are given. */
export function start(wasmUrl) {
  started ??= load(wasmUrl).catch((error) => {
    started = undefined; // Perhaps the network was down: the next call tries again.
    throw error;
  });
  return started;
}

async function load(wasmUrl) {
  const module = await compile(wasmUrl);
  await init({ module_or_path: module });
  return module;
}

async function compile(wasmUrl) {
  if (wasmUrl !== undefined) {
    return compileFrom(wasmUrl).catch((cause) => unsupported("the wasm file could not be loaded from wasmUrl", cause));
  }
  try {
    return await compileFrom(new URL("./glacier_upload_bg.wasm", import.meta.url));
  } catch (first) {
    try {
      const { wasm } = await import("./inline.js");
      return await WebAssembly.compile(await unpack(wasm));
    } catch (second) {
      return unsupported("WebAssembly could not be started", new AggregateError([first, second]));
    }
  }
}

async function compileFrom(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  // Not compileStreaming: it refuses servers that do not know the type application/wasm, and the file is small.
  return WebAssembly.compile(await response.arrayBuffer());
}

async function unpack(base64) {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** A function that makes workers, each ready to be given orders. */
export function workerFactory(module, createWorker) {
  let make = createWorker;
  return async () => {
    if (make !== undefined) return ready(make(), module);
    const byUrl = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    try {
      const worker = await ready(byUrl(), module);
      make = byUrl;
      return worker;
    } catch (first) {
      try {
        const { workerSource } = await import("./inline.js");
        const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
        const inline = () => new Worker(url);
        const worker = await ready(inline(), module);
        make = inline;
        return worker;
      } catch (second) {
        return unsupported("no web worker could be started", new AggregateError([first, second]));
      }
    }
  };
}

function ready(worker, module) {
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(timer);
      worker.onmessage = worker.onerror = null;
      if (settle === reject) worker.terminate();
      settle(value);
    };
    const timer = setTimeout(() => end(reject, new Error("the worker did not answer")), READY_MS);
    worker.onerror = (event) => end(reject, new Error(event.message || "the worker's script could not be loaded"));
    worker.onmessage = ({ data }) =>
      data?.ready ? end(resolve, worker) : end(reject, new Error(data?.error ?? "not a glacier-upload worker"));
    worker.postMessage({ module });
  });
}

function unsupported(message, cause) {
  throw new UploadError(message, {
    cause,
    code: "UNSUPPORTED",
    hint:
      "Serve worker.js and glacier_upload_bg.wasm beside the module or set wasmUrl and createWorker, and let the page's " +
      "Content-Security-Policy allow 'wasm-unsafe-eval' and workers from 'self' (or blob:).",
    retryable: false,
  });
}
