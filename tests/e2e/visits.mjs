// The page of `library/`, closed in the middle of an upload and opened again, with a proxy before the gateway that counts
// what is sent, holds requests back and loses answers.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, open, utimes } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { fileFacts, makeFile, MIB, scratch, storedArchive } from "./files.mjs";
import { startGateway, VAULT } from "./gateway.mjs";
import { librarySite, startSite } from "./site.mjs";

export const N_PARTS = 20;
export const SIZE = N_PARTS * MIB - 5;
export const WRITTEN = new Date("2026-01-02T03:04:05Z");

/** What the proxy has seen of the store, and what it does: lets `parts` parts through and holds those behind them back. */
class Network {
  begun = 0;
  listed = 0;
  sent = []; // first byte of each part
  completed = 0;
  parts = Infinity;
  lost; // the archive whose ID the page has not heard of

  meddle({ method, url, headers }) {
    const { pathname } = new URL(url, "http://localhost");
    const [, account, upload] = /^\/(\d+)\/vaults\/[^/]+\/multipart-uploads(\/.+)?$/.exec(pathname) ?? [];
    if (!account) return undefined;
    if (method === "GET" && upload) this.listed += 1;
    if (method === "POST" && !upload) this.begun += 1;
    if (method === "PUT") {
      if (this.sent.length >= this.parts) return { hang: true };
      this.sent.push(Number(/bytes (\d+)-/.exec(headers["content-range"])[1]));
    }
    if (method === "POST" && upload) {
      this.completed += 1;
      if (this.loses) return { lose: (answer) => (this.lost = answer.headers["x-amz-archive-id"]) };
    }
    return undefined;
  }
}

/** One gateway, one file, and any number of visits to a page. */
export class World {
  network;

  static async open() {
    const world = new World();
    world.files = await scratch();
    world.packaged = await librarySite();
    world.gateway = await startGateway();
    const meddle = (request) => world.network.meddle(request);
    world.site = await startSite(world.packaged.folder, { gateway: world.gateway.url, meddle });
    world.path = await makeFile(world.files.folder, "film.mov", SIZE);
    await utimes(world.path, WRITTEN, WRITTEN);
    return world;
  }

  async close() {
    await this.site.stop();
    await this.gateway.stop();
    await this.packaged.remove();
    await this.files.remove();
  }

  /** Leaves nothing behind for the next test. */
  async cleanUp(browser) {
    await this.visit(browser);
    await browser.evaluate(async () => {
      for (const one of await uploader.unfinished()) await one.discard();
    });
    assert.deepEqual(await browser.evaluate(() => left()), []);
  }

  /** How many the store has. */
  async archives() {
    const read = "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM archives').fetchone()[0])";
    const { stdout } = await promisify(execFile)("python3", ["-c", read, join(this.gateway.data, "metadata.sqlite")]);
    return Number(stdout);
  }

  /** The archive is the file, byte for byte. */
  async assertStored(archiveId, expected, description = null) {
    const { size, sha256, treeHash } = await fileFacts(expected);
    assert.deepEqual(await storedArchive(this.gateway.data, archiveId, VAULT), { size, sha256, tree_hash: treeHash, description });
  }

  /** A file of the same name, size and date, and other bytes from the first to the last. */
  async impostor() {
    const folder = join(this.files.folder, "elsewhere");
    await mkdir(folder, { recursive: true });
    const other = join(folder, "film.mov");
    const file = await open(other, "w");
    for (let part = 0; part < N_PARTS; part++) await file.write(Buffer.alloc(part < N_PARTS - 1 ? MIB : MIB - 5, part + 1));
    await file.close();
    await utimes(other, WRITTEN, WRITTEN);
    return other;
  }

  /** Opens the page, chooses the files, and makes `uploader` and `add(index, options)` in it. */
  async visit(browser, paths = [this.path], options = {}) {
    this.network = new Network();
    await browser.open(`${this.site.url}/`);
    await browser.waitFor(() => document.documentElement.dataset.ready);
    await browser.setFiles("#files", paths);
    await browser.evaluate(async (vault, options) => {
      globalThis.uploader = await library.createUploader({
        endpoint: "/v1", target: { vault }, getHeaders: bearer, partSize: 2 ** 20, workers: 2, ...options,
      });
      globalThis.file = (index) => document.querySelector("#files").files[index];
      globalThis.add = (index, options) => {
        globalThis.upload = uploader.add(file(index), options);
        globalThis.upload.done().catch(() => {}); // asked for later, perhaps
        return upload;
      };
      globalThis.left = async () => (await uploader.unfinished()).map(({ begunAt, savedAt, __wbg_ptr, ...rest }) => ({
        ...rest, dated: [begunAt, savedAt].every((date) => Math.abs(Date.now() - date) < 3_600_000),
      }));
    }, [VAULT, options]);
  }

  /** Waits until the browser has recorded that the store has so much. */
  async recorded(browser, bytes) {
    const isRecorded = async (bytes) => (await left()).some(({ bytesConfirmed }) => bytesConfirmed >= bytes);
    await browser.waitFor(isRecorded, [bytes], { what: `a record of ${bytes} bytes` });
  }

  /** Begins an upload of which the store gets `parts` parts and no more, and the browser has recorded that. */
  async begin(browser, { parts = 8, options = {}, ...more } = {}) {
    await this.visit(browser, [this.path], more);
    this.network.parts = parts;
    await browser.evaluate((options) => void add(0, options), [options]);
    await this.recorded(browser, parts * (more.partSize ?? MIB));
    assert.equal(this.network.begun, 1);
  }

  /** Sends all of the file and loses the answer that says so. Resolves with the ID of the archive that there is. */
  async loseTheEnd(browser) {
    await this.visit(browser);
    this.network.loses = true;
    await browser.evaluate(() => void add(0));
    return this.lost();
  }

  /** Waits until the answer is lost. */
  async lost() {
    for (let wait = 0; !this.network.lost; wait++) {
      assert.ok(wait < 600, "the upload is completed");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return this.network.lost;
  }
}

/** The archive of the page's upload, or how it failed. */
export const done = (browser) => browser.evaluate(() => failureOf(() => upload.done()));
