// Real browsers behind one small interface: open, setFiles, evaluate, waitFor, screenshot, close.
//
// Chromium and Firefox are driven by puppeteer-core, WebKitGTK by the WebDriver protocol in webkit.mjs. The network
// domain stays off: with it attached, request bodies made of typed arrays are about ten times slower.

import puppeteer from "puppeteer-core";
import { WebKit } from "./webkit.mjs";

export const ENGINES = ["chromium", "firefox", "webkit"];

/**
 * A fresh browser with an empty profile. `args` are further command-line flags (Chromium only); `downloads` is a folder
 * into which files are saved without a question, and `profile` a folder that outlives the browser (neither with WebKit).
 */
export async function launch(engine, { args = [], downloads, profile } = {}) {
  if (engine === "chromium") {
    const page = await Page.over({
      executablePath: "/usr/bin/chromium",
      // Chromium's sandbox does not start as root, and containers have a tiny /dev/shm.
      args: ["--no-sandbox", "--disable-dev-shm-usage", ...args],
      userDataDir: profile,
    });
    if (downloads) await allowDownloads(page.browser, downloads);
    return page;
  }
  if (engine === "firefox") {
    const extraPrefsFirefox = downloads ? { "browser.download.dir": downloads, "browser.download.folderList": 2 } : {};
    const executablePath = "/usr/bin/firefox-esr";
    return Page.over({ browser: "firefox", executablePath, extraPrefsFirefox, userDataDir: profile });
  }
  if (engine === "webkit") return WebKit.launch();
  throw new Error(`no such engine: ${engine}`);
}

class Page {
  static async over(options) {
    const browser = await puppeteer.launch({
      headless: true, networkEnabled: false, protocolTimeout: 600_000, timeout: 120_000, ...options,
    });
    const page = (await browser.pages())[0] ?? (await browser.newPage());
    return new Page(browser, page);
  }

  constructor(browser, page) {
    this.browser = browser;
    this.page = page;
    this.messages = [];
    page.on("console", (message) => this.messages.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => this.messages.push(`uncaught: ${error}`));
  }

  /** The browser's process ID. */
  get pid() {
    return this.browser.process().pid;
  }

  async open(url) {
    await this.page.goto(url, { waitUntil: "load", timeout: 60_000 });
  }

  /** Chooses files in the `<input type=file>`, as a person would. */
  async setFiles(selector, paths) {
    const input = await this.page.waitForSelector(selector, { timeout: 30_000 });
    await input.uploadFile(...paths);
  }

  async click(selector) {
    await this.evaluate((selector) => document.querySelector(selector).click(), [selector]);
  }

  /** Runs a function in the page. Arguments and result are JSON. */
  evaluate(run, args = []) {
    return this.page.evaluate(run, ...args);
  }

  waitFor(run, args, options) {
    return poll(this, run, args, options);
  }

  screenshot(path) {
    return this.page.screenshot({ path });
  }

  /** Another tab of the same browser. */
  async tab() {
    return new Page(this.browser, await this.browser.newPage());
  }

  /** Kills the whole browser, as a power failure does. */
  async kill() {
    const ended = new Promise((resolve) => this.browser.process().once("close", resolve));
    process.kill(this.pid, "SIGKILL");
    await ended;
    await this.browser.disconnect();
  }

  /** Kills the tab's process as the kernel does when memory runs out, and goes on in another tab (Chromium only). */
  async killTab() {
    const { processInfo } = await (await this.browser.target().createCDPSession()).send("SystemInfo.getProcessInfo");
    const killed = this.page;
    this.page = await this.browser.newPage();
    for (const { type, id } of processInfo) if (type === "renderer") process.kill(id, "SIGKILL");
    await killed.close().catch(() => {});
  }

  async close() {
    await this.browser.close();
  }
}

async function allowDownloads(browser, downloadPath) {
  const session = await browser.target().createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath });
  await session.detach();
}

/** Asks the page until the function gives something truthy, and returns that. */
export async function poll(browser, run, args = [], { timeoutMs = 60_000, everyMs = 100, what = "the page" } = {}) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const result = await browser.evaluate(run, args);
    if (result) return result;
    if (Date.now() > deadline) {
      const said = browser.messages.length ? `; the browser said:\n${browser.messages.join("\n")}` : "";
      throw new Error(`waited ${timeoutMs} ms for ${what}${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
