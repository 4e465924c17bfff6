// The packed file, installed as a customer would, uploads a file from a plain page and from what bundlers make of it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import * as vite from "vite";
import { launch } from "../e2e/browsers.mjs";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "../e2e/files.mjs";
import { startGateway, VAULT } from "../e2e/gateway.mjs";
import { startSite } from "../e2e/site.mjs";

const run = promisify(execFile);
const PACKAGE = resolve(import.meta.dirname, "../../target/npm");
const PROGRAM = `
import { createUploader } from "glacier-upload";

async function bearer() {
  const headers = { "content-type": "application/json" };
  const response = await fetch("/v1/dev-token", { method: "POST", headers, body: "{}" });
  return { authorization: "Bearer " + (await response.json()).token };
}

document.querySelector("#files").addEventListener("change", async (event) => {
  try {
    const uploader = await createUploader({ endpoint: "/v1", target: { vault: "${VAULT}" }, getHeaders: bearer });
    document.body.dataset.result = JSON.stringify(await uploader.add(event.target.files[0]).done());
  } catch (error) {
    document.body.dataset.result = JSON.stringify({ error: String(error), hint: error.hint, cause: String(error.cause) });
  }
});
document.body.dataset.ready = "true";
`;
const page = (head, script) => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A customer's page</title>${head}</head>
<body><input type="file" id="files">${script}</body></html>`;

let files;
let project;
let path;
let facts;
let browser;

before(async () => {
  files = await scratch();
  project = join(files.folder, "project");
  await mkdir(project);
  const { stdout } = await run("npm", ["pack", PACKAGE, "--json", "--pack-destination", files.folder]);
  const [{ filename }] = JSON.parse(stdout);
  await writeFile(join(project, "package.json"), '{ "name": "customer", "private": true, "type": "module" }');
  const install = ["install", "--offline", "--no-audit", "--no-fund", join(files.folder, filename)];
  await run("npm", install, { cwd: project });
  await writeFile(join(project, "main.js"), PROGRAM);
  path = await makeFile(files.folder, "photo.bin", 5 * MIB + 7);
  facts = await fileFacts(path);
  browser = await launch("chromium");
});

after(async () => {
  await browser?.close();
  await files?.remove();
});

/** Uploads through the page at `url` and reads back what the store has. */
async function uploadThrough(url, gateway) {
  await browser.open(url);
  await browser.waitFor(() => document.body.dataset.ready, [], { timeoutMs: 20_000, what: "the page's script" });
  await browser.setFiles("#files", [path]);
  const text = await browser.waitFor(() => document.body.dataset.result, [], { timeoutMs: 60_000, what: "the result" });
  const result = JSON.parse(text);
  assert.equal(result.error, undefined, `${text}\n${browser.messages.join("\n")}`);
  assert.deepEqual([result.size, result.treeHash], [facts.size, facts.treeHash]);
  const stored = await storedArchive(gateway.data, result.archiveId, VAULT);
  assert.deepEqual([stored.size, stored.sha256, stored.tree_hash], [facts.size, facts.sha256, facts.treeHash]);
}

/** Serves a folder beside a gateway, and uploads through it. */
async function uploadFrom(folder, options = {}) {
  const gateway = await startGateway();
  const site = await startSite(folder, { gateway: gateway.url, ...options });
  try {
    await uploadThrough(`${site.url}/`, gateway);
  } finally {
    await site.stop();
    await gateway.stop();
  }
}

const dist = "node_modules/glacier-upload/dist";

async function plainSite(name, head, program = PROGRAM) {
  const folder = join(files.folder, name);
  await mkdir(join(folder, dist), { recursive: true });
  await cp(join(project, dist), join(folder, dist), { recursive: true });
  await writeFile(join(folder, "main.js"), program);
  await writeFile(join(folder, "index.html"), page(head, '<script type="module" src="main.js"></script>'));
  return folder;
}

const IMPORT_MAP = `<script type="importmap">{ "imports": { "glacier-upload": "./${dist}/index.js" } }</script>`;

test("a plain page with an import map uploads", { timeout: 120_000 }, async () => {
  await uploadFrom(await plainSite("import-map", IMPORT_MAP));
});

test("a plain page under the gateway's strict policy uploads", { timeout: 120_000 }, async () => {
  const program = PROGRAM.replace('"glacier-upload"', `"./${dist}/index.js"`);
  const gateway = await startGateway({ page: await plainSite("strict", "", program) });
  try {
    await uploadThrough(`${gateway.url}/`, gateway);
  } finally {
    await gateway.stop();
  }
});

test("a Vite build uploads", { timeout: 180_000 }, async () => {
  await writeFile(join(project, "index.html"), page("", '<script type="module" src="/main.js"></script>'));
  await vite.build({ root: project, logLevel: "warn", configFile: false, build: { outDir: "built", target: "es2022" } });
  await uploadFrom(join(project, "built"));
});

for (const format of ["esm", "iife"]) {
  test(`an esbuild bundle (${format}) uploads, with worker and wasm inlined`, { timeout: 120_000 }, async () => {
    const folder = join(files.folder, `esbuild-${format}`);
    await mkdir(folder);
    const options = { entryPoints: [join(project, "main.js")], bundle: true, format, outfile: join(folder, "main.js") };
    await esbuild.build({ ...options, logLevel: "error" });
    const type = format === "esm" ? ' type="module"' : "";
    await writeFile(join(folder, "index.html"), page("", `<script${type} src="main.js"></script>`));
    await uploadFrom(folder);
  });
}

test("where neither worker nor wasm can be loaded, the inline copies do", { timeout: 120_000 }, async () => {
  const missing = (path) => path.endsWith("/worker.js") || path.endsWith(".wasm");
  await uploadFrom(await plainSite("missing", IMPORT_MAP), { missing });
});

test("worker and wasm are taken from where the options say", { timeout: 120_000 }, async () => {
  const moved = `{ wasmUrl: new URL("assets/engine.wasm", location.href),
    createWorker: () => new Worker("assets/worker.js", { type: "module" }), endpoint: "/v1",`;
  const program = PROGRAM.replace("{ endpoint: \"/v1\",", moved);
  assert.notEqual(program, PROGRAM);
  const folder = await plainSite("moved", IMPORT_MAP, program);
  await cp(join(project, dist), join(folder, "assets"), { recursive: true });
  await rename(join(folder, "assets/glacier_upload_bg.wasm"), join(folder, "assets/engine.wasm"));
  // Nothing but what the options name can be loaded, the inline copies included.
  const missing = (path) => path.includes(dist) && /(worker\.js|inline\.js|\.wasm)$/.test(path);
  await uploadFrom(folder, { missing });
});

test("a page's own sign function takes the gateway's place", { timeout: 120_000 }, async () => {
  const sign = `{ sign: async (intents) => {
    const headers = { "content-type": "application/json", ...(await bearer()) };
    const answer = await fetch("/v1/sign", { method: "POST", headers, body: JSON.stringify({ intents }) });
    return (await answer.json()).requests;
  },`;
  const program = PROGRAM.replace("{ endpoint: \"/v1\",", sign).replace(", getHeaders: bearer", "");
  assert.ok(!program.includes("endpoint") && !program.includes("getHeaders"));
  await uploadFrom(await plainSite("own-sign", IMPORT_MAP, program));
});

test("importing the package on a server does nothing", async () => {
  const program = "const before = Object.keys(globalThis).length; const library = await import('glacier-upload');" +
    "console.log(Object.keys(library).sort().join(), Object.keys(globalThis).length - before)";
  const { stdout, stderr } = await run("node", ["--input-type=module", "-e", program], { cwd: project });
  const names = "ArchiveWriter,UploadError,alignRange,createBuckets,createUploader,createVaults,isTreeHashAligned,planParts,treeHash";
  assert.equal(stdout.trim(), `${names} 0`);
  assert.equal(stderr, "");
});

test("the packed file holds what the manifest names, and nothing of the tests", async () => {
  const { stdout } = await run("npm", ["pack", PACKAGE, "--json", "--dry-run"]);
  const [{ files: packed }] = JSON.parse(stdout);
  const names = packed.map(({ path }) => path);
  for (const name of ["package.json", "dist/index.js", "dist/index.d.ts", "dist/worker.js", "dist/inline.js",
    "dist/error.js", "dist/glacier_upload.js", "dist/glacier_upload_bg.wasm"]) {
    assert.ok(names.includes(name), `${name} is missing among ${names.join(" ")}`);
  }
  assert.deepEqual(names.filter((name) => !/^(dist\/|package\.json$|README|LICENSE|CHANGELOG)/.test(name)), []);
});
