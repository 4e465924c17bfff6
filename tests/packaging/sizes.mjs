// Prints what a page downloads, and fails when it is more than the budget or the README says otherwise. Usage: node sizes.mjs DIST
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

// Bytes after brotli: the first measured size plus a tenth.
const BUDGET = { "main thread": 12_900, wasm: 212_000, worker: 300, inline: 264_000 };

const dist = process.argv[2];
const shipped = readdirSync(dist);
const FILES = {
  "main thread": shipped.filter((file) => file.endsWith(".js") && !["worker.js", "inline.js"].includes(file)),
  wasm: ["glacier_upload_bg.wasm"],
  worker: ["worker.js"],
  inline: ["inline.js"],
};

const brotli = (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
const row = (name, ...columns) => console.log(name.padEnd(12), ...columns.map((text) => String(text).padStart(9)));
const size = {};
let over = false;
row("", "raw", "gzip", "brotli", "budget");
for (const [name, files] of Object.entries(FILES)) {
  const contents = files.map((file) => readFileSync(join(dist, file)));
  const sum = (measure) => contents.reduce((total, bytes) => total + measure(bytes), 0);
  const [raw, gzip, compressed] = [sum((bytes) => bytes.length), sum((bytes) => gzipSync(bytes).length), sum(brotli)];
  row(name, raw, gzip, compressed, BUDGET[name]);
  size[name] = compressed;
  if (compressed > BUDGET[name]) {
    over = true;
    console.error(`${name}: ${compressed} bytes after brotli, over its budget of ${BUDGET[name]} (${files.join(", ")})`);
  }
}

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");
const [said, ...promised] = /(\d+) kB compressed: (\d+) kB to import/.exec(readme) ?? ["nothing"];
const bytes = [size["main thread"] + size.wasm + size.worker, size["main thread"]];
if (promised.length === 0 || bytes.some((bytes, i) => Math.abs(bytes / 1000 - promised[i]) > Math.max(1, promised[i] / 50))) {
  over = true;
  console.error(`README.md says ${said}; it is ${bytes.map((bytes) => (bytes / 1000).toFixed(1)).join(" and ")} kB`);
}
process.exitCode = over ? 1 : 0;
