// The npm package's entry. Importing it does nothing: the wasm module is loaded by the first call.

import * as wasm from "./glacier_upload.js";
import { start, workerFactory } from "./load.js";

export { UploadError } from "./error.js";
export { ArchiveWriter } from "./stream.js";

export async function createUploader(options) {
  const module = await start(options?.wasmUrl);
  return wasm.createUploader(options, workerFactory(module, options?.createWorker));
}

export async function createVaults(options) {
  const module = await start(options?.wasmUrl);
  return wasm.createVaults(options, workerFactory(module, options?.createWorker));
}

export async function createBuckets(options) {
  const module = await start(options?.wasmUrl);
  return wasm.createBuckets(options, workerFactory(module, options?.createWorker));
}

wasm.Pages.prototype[Symbol.asyncIterator] = function () { return this; };

export async function treeHash(blob, options) {
  const module = await start(options?.wasmUrl);
  return wasm.treeHash(blob, options, workerFactory(module, options?.createWorker));
}

export async function planParts(size, partSize) {
  await start();
  return wasm.planParts(size, partSize);
}

export async function isTreeHashAligned(range, size) {
  await start();
  return wasm.isTreeHashAligned(range, size);
}

export async function alignRange(range, size) {
  await start();
  return wasm.alignRange(range, size);
}
