// Makes dist/inline.js: the worker's source and the WebAssembly as text, for pages that can load no file beside the
// package. Usage: node inline.mjs DIST WORKER_BUNDLE
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const [dist, worker] = process.argv.slice(2);
const source = readFileSync(worker, "utf8");
const wasm = gzipSync(readFileSync(join(dist, "glacier_upload_bg.wasm")), { level: 9 }).toString("base64");
writeFileSync(
  join(dist, "inline.js"),
  `// Generated: worker.js as a classic script, and glacier_upload_bg.wasm as base64 of gzip.
export const workerSource = ${JSON.stringify(source)};
export const wasm = "${wasm}";
`,
);
