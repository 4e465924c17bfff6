// The second view's stable hooks, and what a person does there.

import { createHash } from "node:crypto";
import { VAULT } from "./gateway.mjs";
import { openPage } from "./page.mjs";

let visits = 0;

/** Opens the second view and waits until the store has been asked for all of it. */
export async function openArchives(browser, url, vault = VAULT) {
  await openPage(browser, url, `?vault=${vault}&visit=${++visits}#archives`); // the same address would not load anew
  await browser.waitFor(() => document.documentElement.dataset.archivesReady, [], { what: "the archives to be ready" });
}

/** All archives on the shown page of the list: `{archiveId, size, text}`. */
export function archives(browser) {
  return browser.evaluate(() =>
    [...document.querySelectorAll("[data-archive]")].map((row) => ({ ...row.dataset, text: row.innerText })));
}

/** Waits until a row that `selector` matches is in one of the states, and returns it. */
export function reached(browser, selector, states, timeoutMs = 60_000) {
  const find = (selector, states) => {
    const row = document.querySelector(selector);
    return row && states.includes(row.dataset.state) ? { ...row.dataset, text: row.innerText } : null;
  };
  return browser.waitFor(find, [selector, states], { timeoutMs, what: `${selector} to be ${states.join(" or ")}` });
}

/** Presses the button of that action in what `selector` matches, once it is there. */
export async function press(browser, selector, action) {
  const find = `${selector} [data-action="${action}"]`;
  await browser.waitFor((find) => document.querySelector(find) !== null, [find], { timeoutMs: 20_000, what: find });
  await browser.click(find);
}

/** Sends the form that asks for an archive, and returns the selector of the new job's row. */
export async function ask(browser) {
  await browser.click("#retrieval [type=submit]");
  return newJob(browser);
}

/** The selector of the row of a job that was just begun: it has the focus. */
export async function newJob(browser) {
  const find = () => document.activeElement.matches("[data-job]") && document.activeElement.dataset.jobId;
  const jobId = await browser.waitFor(find, [], { what: "the new job to have the focus" });
  return `[data-job-id="${jobId}"]`;
}

/**
 * Nobody can answer the browser's own window for choosing a file, so the answer is given beforehand: a file in the
 * browser's private storage, which is of the same kind as a chosen one.
 */
export function chooseFile(browser, name) {
  return browser.evaluate((name) => {
    window.showSaveFilePicker = async (options) => {
      window.suggestedName = options.suggestedName;
      return (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });
    };
  }, [name]);
}

/** Size and SHA-256 of that file. */
export async function chosenFile(browser, name) {
  const base64 = await browser.evaluate(async (name) => {
    const handle = await (await navigator.storage.getDirectory()).getFileHandle(name);
    const reader = new FileReader();
    reader.readAsDataURL(await handle.getFile());
    await new Promise((resolve) => reader.addEventListener("load", resolve));
    return reader.result.slice(reader.result.indexOf(",") + 1);
  }, [name]);
  const bytes = Buffer.from(base64, "base64");
  return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Goes from control to control until one that `selector` matches has the focus, as a keyboard does. */
export async function tabTo(browser, selector, most = 60) {
  for (let pressed = 0; pressed < most; pressed++) {
    if (await browser.evaluate((selector) => document.activeElement?.matches(selector), [selector])) return;
    await browser.page.keyboard.press("Tab");
  }
  throw new Error(`${selector} is not reached by ${most} times Tab`);
}
