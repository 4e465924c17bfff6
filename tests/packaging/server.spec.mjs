// The server as it is shipped: one static file with the page inside, a container's recipe and a unit of systemd.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { launch } from "../e2e/browsers.mjs";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "../e2e/files.mjs";
import { ended, openPage } from "../e2e/page.mjs";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../..");
const CONTEXT = join(ROOT, "target/server");
const SERVER = join(CONTEXT, "glacier-upload-server");
const PACKAGING = join(ROOT, "crates/server/packaging");

let files;

before(async () => {
  files = await scratch();
});

after(() => files?.remove());

test("the server is a program that no loader and no library has to help", async () => {
  const elf = await readFile(SERVER);
  assert.equal(elf.toString("latin1", 0, 5), "\x7fELF\x02", "64 bits");
  const [start, size, count] = [Number(elf.readBigUInt64LE(32)), elf.readUInt16LE(54), elf.readUInt16LE(56)];
  const kinds = Array.from({ length: count }, (_, index) => elf.readUInt32LE(start + index * size));
  const [LOAD, INTERPRETER] = [1, 3];
  assert.ok(kinds.includes(LOAD) && !kinds.includes(INTERPRETER), `${kinds}`);
});

test("alone on a disk and without an environment it serves the page, and the page uploads", async () => {
  const folder = join(files.folder, "alone");
  await mkdir(folder);
  await copyFile(SERVER, join(folder, "server"));
  const flags = ["--data", "/data", "--listen", "127.0.0.1:0", "--vault", "demo"];
  // For the server there is no other file: who is not root becomes so in a namespace, which this needs.
  const changeRoot = process.getuid() === 0 ? [] : ["--map-root-user"];
  const server = spawn("/usr/bin/unshare", [...changeRoot, `--root=${folder}`, "/server", ...flags], {
    env: {}, stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  server.stderr.on("data", (chunk) => (log += chunk));
  const closed = once(server, "close");
  let browser;
  try {
    const lines = createInterface({ input: server.stdout });
    const [line] = await Promise.race([once(lines, "line"), closed.then(([code]) => [`ended with ${code}`])]);
    const url = /^listening on (http:\S+)$/.exec(line)?.[1];
    assert.ok(url, `${line}\n${log}`);
    for (const name of await readdir(join(ROOT, "target/site"), { recursive: true })) {
      const path = join(ROOT, "target/site", name);
      if ((await stat(path)).isDirectory()) continue;
      const response = await fetch(`${url}/${name === "index.html" ? "" : name}`);
      assert.deepEqual(Buffer.from(await response.arrayBuffer()), await readFile(path), name);
    }
    const file = await makeFile(files.folder, "photo.bin", 5 * MIB + 7);
    const facts = await fileFacts(file);
    browser = await launch("chromium");
    await openPage(browser, url);
    await browser.setFiles("#file-input", [file]);
    const upload = await ended(browser);
    assert.deepEqual([upload.state, upload.treeHash], ["done", facts.treeHash]);
    const { sha256, size } = await storedArchive(join(folder, "data"), upload.archiveId, "demo");
    assert.deepEqual({ sha256, size }, { sha256: facts.sha256, size: facts.size });
  } finally {
    await browser?.close();
    server.kill("SIGTERM");
    assert.deepEqual(await closed, [0, null]);
  }
  assert.deepEqual((await readdir(folder)).sort(), ["data", "server"]);
});

test("the container's recipe names what is built and starts it with a configuration that makes sense", async () => {
  const recipe = await readFile(join(PACKAGING, "Containerfile"), "utf8");
  const steps = recipe.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.split(/ +/));
  const step = (name) => steps.filter(([first]) => first === name).map(([, ...words]) => words);
  assert.deepEqual(step("FROM"), [["scratch"]]);
  const copied = step("COPY").map((words) => words.filter((word) => !word.startsWith("--")));
  for (const [source] of copied) await stat(join(CONTEXT, source));
  assert.deepEqual((await readdir(CONTEXT)).sort(), copied.map(([source]) => source).sort());
  const [[program]] = step("ENTRYPOINT").map(([word]) => JSON.parse(word));
  assert.ok(copied.some(([source, place]) => source === "glacier-upload-server" && place === program), program);
  const [[user]] = step("USER");
  const [owner] = step("COPY").flat().filter((word) => word.startsWith("--chown="));
  assert.equal(owner, `--chown=${user}`);
  const env = Object.fromEntries(step("ENV")[0].map((word) => word.split("=")));
  assert.deepEqual(step("VOLUME"), [[env.GLACIER_UPLOAD_DATA]]);
  assert.deepEqual(step("EXPOSE"), [[env.GLACIER_UPLOAD_LISTEN.split(":").at(-1)]]);
  const flags = /podman run .* glacier-upload-server \\\n#\s+(--.*)/.exec(recipe)[1].split(" ");
  const documented = await readFile(join(ROOT, "docs/deployment.md"), "utf8");
  assert.ok(documented.includes(flags.join(" ")), "docs/deployment.md starts it in the same way");
  const { stdout } = await run(SERVER, ["check", ...flags], { env, cwd: files.folder });
  assert.match(stdout, /fit to serve/);
  const { stdout: printed } = await run(SERVER, [...flags, "--print-config"], { env, cwd: files.folder });
  assert.match(printed, /^data = "\/data"/m);
  // Whoever forgets the flags is told, and not served from an address that others reach.
  await assert.rejects(run(SERVER, [], { env, cwd: files.folder }), /--public-host|--listen/);
});

test("systemd knows every line of the unit, which lets the server do little, and starts what there is", async () => {
  const unit = await readFile(join(PACKAGING, "glacier-upload-server.service"), "utf8");
  const folder = join(files.folder, "unit");
  await mkdir(folder);
  const config = join(folder, "gateway.toml");
  await writeFile(config, "vault = [\"photos\"]\n");
  const [, program, flags] = /^ExecStart=(\S+) (.*)$/m.exec(unit);
  assert.equal(program, "/usr/local/bin/glacier-upload-server");
  const path = join(folder, "glacier-upload-server.service");
  await writeFile(path, unit.replace(`ExecStart=${program}`, `ExecStart=${SERVER}`));
  const { stdout: said, stderr: complaints } = await run("systemd-analyze", ["verify", "--man=no", path]);
  // Other units of the machine are not ours to judge.
  const ours = `${said}${complaints}`.split("\n").filter((line) => line.includes("glacier-upload-server"));
  assert.deepEqual(ours, []);
  // 12 of 100: what docs/deployment.md says.
  await run("systemd-analyze", ["security", "--offline=true", "--threshold=12", path]);
  const env = Object.fromEntries([...unit.matchAll(/^Environment=(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  assert.deepEqual(Object.keys(env), ["GLACIER_UPLOAD_DATA"]);
  assert.match(unit, new RegExp(`^StateDirectory=${env.GLACIER_UPLOAD_DATA.replace("/var/lib/", "")}$`, "m"));
  const words = flags.split(" ");
  assert.deepEqual(words, ["--config", "/etc/glacier-upload/gateway.toml"]);
  const { stdout } = await run(SERVER, ["check", words[0], config], { env, cwd: folder });
  assert.match(stdout, /fit to serve/);
});
