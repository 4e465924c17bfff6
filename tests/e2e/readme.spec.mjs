// What the README says to paste into the demo page's console, pasted there.

import assert from "node:assert/strict";
import { test } from "node:test";
import { launch } from "./browsers.mjs";
import { fileFacts, makeFile, MIB, scratch } from "./files.mjs";
import { SITE, startGateway, VAULT } from "./gateway.mjs";
import { openPage } from "./page.mjs";
import { snippet } from "./readme.mjs";
import { startSite } from "./site.mjs";

test("the README's snippets upload an archive and get it back", { timeout: 120_000 }, async () => {
  const [upload, download] = [await snippet("glacier-upload"), await snippet("Get it back")];
  const gateway = await startGateway();
  const browser = await launch("chromium");
  try {
    await openPage(browser, gateway.url);
    // As an expression and not as a script of the page, whose security policy forbids that.
    await browser.evaluate(`(async () => { ${upload}\n${download} })()`);
    await browser.waitFor(() => true);
    const said = browser.messages.filter((message) => message.startsWith("log: "));
    assert.match(said.at(-1), /^log: whole hello, ice$/, browser.messages.join("\n"));
  } finally {
    await browser.close();
    await gateway.stop();
  }
});

test("the README's snippet about a closed tab goes on with an upload", { timeout: 120_000 }, async () => {
  const [upload, goOn] = [await snippet("glacier-upload"), await snippet("The tab was closed")];
  const files = await scratch();
  const path = await makeFile(files.folder, "film.mov", 20 * MIB);
  const gateway = await startGateway();
  let sent = 0;
  let most = 1;
  const meddle = ({ method }) => (method === "PUT" && ++sent > most ? { hang: true } : undefined);
  const site = await startSite(SITE, { gateway: gateway.url, meddle });
  const browser = await launch("chromium");
  browser.page.on("dialog", (dialog) => dialog.accept()); // whether to leave
  try {
    await openPage(browser, site.url);
    await browser.setFiles("#file-input", [path]);
    // The bar moves with the bytes that are sent; what goes on after the visit is what the browser has recorded.
    await browser.evaluate(async (vault) => {
      const { createUploader } = await import("/glacier-upload/index.js");
      const options = { endpoint: "/v1", target: { vault }, getHeaders: () => ({}) };
      globalThis.left = await createUploader(options);
    }, [VAULT]);
    await browser.waitFor(async () => (await globalThis.left.unfinished()).some(({ bytesConfirmed }) => bytesConfirmed > 0));
    await openPage(browser, site.url);
    await browser.waitFor(() => document.querySelector('[data-left][data-in-use="false"]'));
    [sent, most] = [0, Infinity];
    const console = "{ log: (...said) => globalThis.console.log(JSON.stringify(said)) }"; // the browser tells less of objects
    await browser.evaluate(`(async () => { const console = ${console}; ${upload}\n${goOn} })()`);
    await browser.setFiles("body > input", [path]);
    const { treeHash } = await fileFacts(path);
    const isSaid = () => browser.messages.some((message) => message.includes(treeHash));
    for (let wait = 0; !isSaid(); wait++) {
      assert.ok(wait < 600, browser.messages.join("\n"));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(browser.messages.some((message) => /^log: \["film\.mov",0\.\d+,false\]$/.test(message)), browser.messages.join("\n"));
    assert.equal(sent, 3, "one for the first snippet, and two of the three of the film");
  } finally {
    await browser.close();
    await site.stop();
    await gateway.stop();
    await files.remove();
  }
});
