// Bad input, each kind with its own code: in the API and on the page. Nothing but UploadError is ever thrown.

import assert from "node:assert/strict";
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { launch } from "./browsers.mjs";
import { makeFile, MIB, scratch } from "./files.mjs";
import { SITE, startGateway, VAULT } from "./gateway.mjs";
import { ended, openPage } from "./page.mjs";
import { librarySite, startSite } from "./site.mjs";

const HTML = { status: 200, type: "text/html", body: "<!doctype html><title>Sign in</title>" };
const TOO_LARGE = 10_000 * 4096 * MIB + 1; // Takes no space, but only a file system in memory allows such a length.

let files;
let sparse;
let paths;
let gateway;

before(async () => {
  files = await scratch();
  sparse = await scratch("/dev/shm");
  paths = {
    good: await makeFile(files.folder, "good.bin", 3 * MIB),
    empty: await makeFile(files.folder, "empty.bin", 0),
    folder: join(files.folder, "folder"),
    gone: join(files.folder, "gone.bin"),
    large: join(sparse.folder, "large.bin"),
  };
  await mkdir(paths.folder);
  await writeFile(paths.large, "");
  await truncate(paths.large, TOO_LARGE);
  gateway = await startGateway();
});

after(async () => {
  await gateway?.stop();
  await files.remove();
  await sparse.remove();
});

/** An error is for people: it says what was wrong and what to do, and its details are those of the type. */
function assertError(failure, code) {
  assert.equal(failure.code, code, JSON.stringify(failure));
  assert.ok(failure.isUploadError, "is an UploadError");
  assert.equal(failure.name, "UploadError");
  assert.ok(failure.message.length > 8, failure.message);
  assert.ok(failure.hint.length > 8, failure.hint);
  assert.equal(typeof failure.retryable, "boolean");
}

describe("API", () => {
  let browser;
  let packaged;
  let site;

  before(async () => {
    packaged = await librarySite();
    site = await startSite(packaged.folder, {
      gateway: gateway.url,
      answers: {
        "/html/sign": HTML,
        "/not-found/sign": { status: 404, type: "text/plain", body: "no such page" },
        "/other-json/sign": { status: 200, body: '{"hello":"world"}' },
        "/broken/sign": { status: 500, body: '{"message":"out of order"}' },
      },
    });
    browser = await launch("chromium");
  });

  beforeEach(async () => {
    await browser.open(`${site.url}/`);
    await browser.waitFor(() => document.documentElement.dataset.ready);
  });

  after(async () => {
    await browser?.close();
    await site?.stop();
    await packaged?.remove();
  });

  /** Creates an uploader, uploads the chosen file or a small Blob, and tells how it failed. */
  const attempt = (options, upload) =>
    browser.evaluate(({ options, upload, vault }) => failureOf(async () => {
      const target = { vault };
      const retry = { maxAttempts: 1 };
      const settings = { endpoint: "/v1", target, retry, getHeaders: bearer, ...options };
      if (options.noToken) delete settings.getHeaders;
      if (options.token) settings.getHeaders = () => ({ authorization: `Bearer ${options.token}` });
      delete settings.noToken;
      delete settings.token;
      const uploader = await library.createUploader(settings);
      const file = upload?.chosen ? document.querySelector("#files").files[0]
        : upload?.dropped ? dropped[0] : new Blob(upload?.empty ? [] : ["some bytes"]);
      return uploader.add(file, upload?.options).done();
    }), [{ options, upload, vault: VAULT }]);

  const REFUSED = [
    ["an empty file", {}, { empty: true }, "FILE_EMPTY"],
    ["a bad description", {}, { options: { description: "Ísland" } }, "INVALID_DESCRIPTION"],
    ["a description that is too long", {}, { options: { description: "x".repeat(1025) } }, "INVALID_DESCRIPTION"],
    ["a bad vault name", { target: { vault: "two words" } }, {}, "INVALID_VAULT_NAME"],
    ["a part size that is no power of two", { partSize: 3 * MIB }, {}, "INVALID_PART_SIZE"],
    ["a missing token", { noToken: true }, {}, "AUTH_MISSING"],
    ["a forged token", { token: "v1.forged.token" }, {}, "AUTH_DENIED"],
    ["a vault that the token does not allow", { target: { vault: "other" } }, {}, "AUTH_DENIED"],
    ["HTML instead of JSON", { endpoint: "/html" }, {}, "NOT_OUR_SERVER"],
    ["a server that is not ours", { endpoint: "/not-found" }, {}, "NOT_OUR_SERVER"],
    ["JSON that is not ours", { endpoint: "/other-json" }, {}, "NOT_OUR_SERVER"],
    ["a broken server", { endpoint: "/broken" }, {}, "SERVER"],
    ["a server that is not there", { endpoint: "http://127.0.0.1:9/v1" }, {}, "NETWORK"],
  ];
  for (const [what, options, upload, code] of REFUSED) {
    test(`${what} is ${code}`, { timeout: 60_000 }, async () => assertError(await attempt(options, upload), code));
  }

  test("what can never be stored is refused before anything is sent", { timeout: 60_000 }, async () => {
    const sent = () => browser.evaluate(() => performance.getEntriesByType("resource")
      .map(({ name }) => new URL(name).pathname).filter((path) => /^\/(v1|-|\d{12})\//.test(path)));
    assertError(await attempt({}, { empty: true }), "FILE_EMPTY");
    assertError(await attempt({}, { options: { description: "Ísland" } }), "INVALID_DESCRIPTION");
    assertError(await attempt({ target: { vault: "Ísland" } }, {}), "INVALID_VAULT_NAME");
    assertError(await attempt({ partSize: 3 * MIB }, {}), "INVALID_PART_SIZE");
    assert.deepEqual(await sent(), []);
    assertError(await attempt({ noToken: true }, {}), "AUTH_MISSING");
    assert.ok((await sent()).includes("/v1/sign"), "what is sent is seen");
  });

  test("an expired token is AUTH_EXPIRED", { timeout: 60_000 }, async () => {
    assertError(await attempt({ token: gateway.expiredToken() }, {}), "AUTH_EXPIRED");
  });

  test("a file larger than the token allows is LIMIT_EXCEEDED", { timeout: 60_000 }, async () => {
    assertError(await attempt({ token: gateway.token({ maxArchiveBytes: 3 }) }, {}), "LIMIT_EXCEEDED");
  });

  test("a file over the limit is FILE_TOO_LARGE", async () => {
    await browser.setFiles("#files", [paths.large]);
    assertError(await attempt({}, { chosen: true }), "FILE_TOO_LARGE");
  });

  test("more than 10,000 parts of the size asked for is TOO_MANY_PARTS", async () => {
    await browser.setFiles("#files", [paths.large]);
    await truncate(paths.large, 11 * 1024 * MIB);
    await browser.setFiles("#files", [paths.large]);
    const failure = await attempt({ partSize: MIB }, { chosen: true });
    await truncate(paths.large, TOO_LARGE);
    assertError(failure, "TOO_MANY_PARTS");
  });

  test("a file that is gone when it is read is FILE_UNREADABLE", async () => {
    await writeFile(paths.gone, "here for a moment");
    await browser.setFiles("#files", [paths.gone]);
    await browser.evaluate(() => document.querySelector("#files").files[0].size); // Chromium looks when first asked.
    await rm(paths.gone);
    assertError(await attempt({}, { chosen: true }), "FILE_UNREADABLE");
  });

  test("a folder is IS_DIRECTORY", async () => {
    await drop(browser, [paths.folder]);
    await browser.waitFor(() => globalThis.dropped);
    assertError(await attempt({}, { dropped: true }), "IS_DIRECTORY");
  });

  const MISSPELT = [
    ["createUploader", "partsize", { partsize: MIB }, {}],
    ["add", "descripton", {}, { options: { descripton: "x" } }],
    ["retry", "maxAttemps", { retry: { maxAttemps: 1 } }, {}],
  ];
  for (const [where, key, options, upload] of MISSPELT) {
    test(`a misspelt option of ${where} is INVALID_OPTION and named`, async () => {
      const failure = await attempt(options, upload);
      assertError(failure, "INVALID_OPTION");
      assert.ok(failure.message.includes(key), failure.message);
    });
  }

  test("options that are nothing at all are INVALID_OPTION", async () => {
    for (const options of [undefined, null, 5, "x", []]) {
      const call = (options) => failureOf(() => library.createUploader(options ?? undefined));
      assertError(await browser.evaluate(call, [options ?? null]), "INVALID_OPTION");
    }
  });

  test("something that is no file is INVALID_OPTION", async () => {
    for (const file of [null, 5, "x", {}]) {
      const add = ({ file, vault }) => failureOf(async () => {
        const uploader = await library.createUploader({ endpoint: "/v1", target: { vault } });
        return uploader.add(file).done();
      });
      assertError(await browser.evaluate(add, [{ file, vault: VAULT }]), "INVALID_OPTION");
    }
  });
});

describe("page", () => {
  let browser;

  before(async () => {
    browser = await launch("chromium");
  });

  after(() => browser?.close());

  /** What the page says of itself when it cannot work. */
  const pageError = () => browser.evaluate(() => {
    const { dataset, innerText } = document.querySelector("#page-error");
    return { errorCode: dataset.errorCode, text: innerText };
  });

  const shows = async (row, code) => {
    assert.equal(row.errorCode, code, JSON.stringify(row));
    assert.match(row.text, /\w+ \w+ \w+/, "says it in words");
  };

  const CHOSEN = [
    ["an empty file", "", () => paths.empty, "FILE_EMPTY"],
    ["a file over the limit", "", () => paths.large, "FILE_TOO_LARGE"],
    ["a bad description", "?description=%C3%8Dsland", () => paths.good, "INVALID_DESCRIPTION"],
  ];
  for (const [what, query, path, code] of CHOSEN) {
    test(`${what} is shown as ${code}`, { timeout: 60_000 }, async () => {
      await openPage(browser, gateway.url, query);
      await browser.setFiles("#file-input", [path()]);
      const row = await ended(browser);
      assert.equal(row.state, "failed");
      await shows(row, code);
    });
  }

  test("a file that is gone is shown as FILE_UNREADABLE", { timeout: 60_000 }, async () => {
    await openPage(browser, gateway.url);
    await makeFile(files.folder, "gone.bin", 600 * MIB);
    await browser.setFiles("#file-input", [paths.gone]);
    await rm(paths.gone);
    await shows(await ended(browser), "FILE_UNREADABLE");
  });

  test("a folder is shown as IS_DIRECTORY", { timeout: 60_000 }, async () => {
    await openPage(browser, gateway.url);
    await drop(browser, [paths.folder]);
    await shows(await ended(browser), "IS_DIRECTORY");
  });

  const SETTINGS = [
    ["a bad vault name", "?vault=two%20words", "INVALID_VAULT_NAME"],
    ["a bad part size", "?partSize=3000000", "INVALID_PART_SIZE"],
    ["an option that is no number", "?concurrency=many", "INVALID_OPTION"],
  ];
  for (const [what, query, code] of SETTINGS) {
    test(`${what} is shown as ${code}`, { timeout: 60_000 }, async () => {
      await openPage(browser, gateway.url, query);
      await shows(await pageError(), code);
    });
  }

  /** The page from a server that answers some paths otherwise. */
  const withAnswers = async (answers, run) => {
    const site = await startSite(SITE, { gateway: gateway.url, answers });
    try {
      await run(site.url);
    } finally {
      await site.stop();
    }
  };

  test("a server that gives no token is shown as AUTH_MISSING", { timeout: 60_000 }, () =>
    withAnswers({ "/v1/dev-token": { status: 404, type: "text/plain", body: "" } }, async (url) => {
      await openPage(browser, url);
      await shows(await pageError(), "AUTH_MISSING");
    }));

  test("HTML instead of JSON is shown as NOT_OUR_SERVER", { timeout: 60_000 }, () =>
    withAnswers({ "/v1/sign": HTML }, async (url) => {
      await openPage(browser, url);
      await browser.setFiles("#file-input", [paths.good]);
      await shows(await ended(browser), "NOT_OUR_SERVER");
    }));

  test("a wrong server is shown as NOT_OUR_SERVER", { timeout: 60_000 }, async () => {
    await openPage(browser, gateway.url, "?endpoint=/nobody-here");
    await browser.setFiles("#file-input", [paths.good]);
    await shows(await ended(browser), "NOT_OUR_SERVER");
  });

  test("an expired token is shown as AUTH_EXPIRED", { timeout: 60_000 }, () => {
    const stale = { token: gateway.expiredToken(), expiresInMs: 600_000, vault: VAULT, vaults: [VAULT] };
    const answers = { "/v1/dev-token": { status: 200, body: JSON.stringify(stale) } };
    return withAnswers(answers, async (url) => {
      await openPage(browser, url);
      await browser.setFiles("#file-input", [paths.good]);
      await shows(await ended(browser), "AUTH_EXPIRED");
    });
  });
});

/** Drags files or folders from the desktop onto the page. */
async function drop(browser, dragged) {
  const session = await browser.page.createCDPSession();
  const data = { items: [], files: dragged, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await session.send("Input.dispatchDragEvent", { type, x: 200, y: 200, data });
  }
  await session.detach();
}
