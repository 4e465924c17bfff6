// Files to upload, and what is true of them, computed by Node's crypto and by Python: nothing here shares code with
// the library.

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

export const MIB = 1024 * 1024;
const ORACLE = resolve(import.meta.dirname, "../oracle/stored_archive.py");

/** A folder for test files, removed by `remove()`. */
export async function scratch(where = tmpdir()) {
  const folder = await mkdtemp(join(where, "glacier-upload-files-"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Writes a file with period 251: a prime, so that blocks swapped or repeated change the hash. */
export async function makeFile(folder, name, size) {
  const path = join(folder, name);
  const block = Buffer.alloc(251 * 16_384);
  for (let i = 0; i < block.length; i++) block[i] = i % 251;
  const file = await open(path, "w");
  for (let left = size; left > 0; left -= block.length) await file.write(block, 0, Math.min(left, block.length));
  await file.close();
  return path;
}

/** Size, SHA-256 and SHA-256 tree hash of a file. */
export async function fileFacts(path) {
  const whole = createHash("sha256");
  const leaves = [];
  let leaf = createHash("sha256");
  let [filled, size] = [0, 0];
  for await (const chunk of createReadStream(path, { highWaterMark: MIB })) {
    whole.update(chunk);
    size += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + MIB - filled);
      leaf.update(piece);
      at += piece.length;
      filled += piece.length;
      if (filled === MIB) {
        leaves.push(leaf.digest());
        [leaf, filled] = [createHash("sha256"), 0];
      }
    }
  }
  if (filled > 0 || leaves.length === 0) leaves.push(leaf.digest());
  return { size, sha256: whole.digest("hex"), treeHash: root(leaves).toString("hex") };
}

function root(level) {
  while (level.length > 1) {
    const above = [];
    for (let i = 0; i < level.length; i += 2) {
      const pair = level.slice(i, i + 2);
      above.push(pair.length === 2 ? createHash("sha256").update(Buffer.concat(pair)).digest() : pair[0]);
    }
    level = above;
  }
  return level[0];
}

/** What the store holds under an archive ID, read from its data folder by the Python oracle. */
export async function storedArchive(data, archiveId, vault) {
  const args = [ORACLE, "--data", data, "--archive-id", archiveId, "--vault", vault];
  const { stdout } = await promisify(execFile)("python3", args);
  return JSON.parse(stdout);
}
