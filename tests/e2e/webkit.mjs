// WebKitGTK's MiniBrowser on a virtual display, driven by the W3C WebDriver protocol: a handful of HTTP requests.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { poll } from "./browsers.mjs";

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf"; // The protocol's key for a reference to an element.

export class WebKit {
  messages = []; // The protocol has no console.

  static async launch() {
    const browser = new WebKit();
    try {
      await browser.#start();
      return browser;
    } catch (error) {
      await browser.close();
      throw error;
    }
  }

  async #start() {
    this.xvfb = spawn("Xvfb", ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"], {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    });
    const [number] = await once(this.xvfb.stdio[3], "data");
    const port = await freePort();
    // WEBKIT_DISABLE_SANDBOX…: bubblewrap does not start as root in a container.
    const env = { ...process.env, DISPLAY: `:${String(number).trim()}`, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" };
    this.driver = spawn("WebKitWebDriver", [`--port=${port}`, "--host=127.0.0.1"], { stdio: "ignore", env });
    this.driver.on("error", () => {}); // The requests below say it.
    this.base = `http://127.0.0.1:${port}`;
    await this.#started();
    const options = { binary: miniBrowser(), args: ["--automation"] };
    const capabilities = { alwaysMatch: { browserName: "MiniBrowser", "webkitgtk:browserOptions": options } };
    const { sessionId } = await this.#request("POST", "/session", { capabilities });
    this.base += `/session/${sessionId}`;
    this.session = true;
    await this.#request("POST", "/timeouts", { script: 600_000, pageLoad: 60_000 });
  }

  async #started() {
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#request("GET", "/status");
      } catch (error) {
        if (attempt === 100) throw new Error("WebKitWebDriver does not answer", { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async #request(method, path, body) {
    const response = await fetch(this.base + path, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`WebDriver ${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  }

  async open(url) {
    await this.#request("POST", "/url", { url });
  }

  async setFiles(selector, paths) {
    const found = await this.#request("POST", "/element", { using: "css selector", value: selector });
    await this.#request("POST", `/element/${found[ELEMENT]}/value`, { text: paths.join("\n") });
  }

  async click(selector) {
    await this.evaluate((selector) => document.querySelector(selector).click(), [selector]);
  }

  async evaluate(run, args = []) {
    const script = `const done = arguments[1];
      Promise.resolve().then(() => (${run})(...arguments[0]))
        .then((value) => done({ value }), (error) => done({ error: String(error) }));`;
    const result = await this.#request("POST", "/execute/async", { script, args: [args] });
    if (result.error) throw new Error(result.error);
    return result.value;
  }

  waitFor(run, args, options) {
    return poll(this, run, args, options);
  }

  async screenshot(path) {
    await writeFile(path, Buffer.from(await this.#request("GET", "/screenshot"), "base64"));
  }

  async close() {
    if (this.session) await this.#request("DELETE", "").catch(() => {});
    this.driver?.kill();
    this.xvfb?.kill();
  }
}

function miniBrowser() {
  for (const architecture of readdirSync("/usr/lib")) {
    for (const version of ["4.1", "4.0"]) {
      const path = `/usr/lib/${architecture}/webkit2gtk-${version}/MiniBrowser`;
      if (existsSync(path)) return path;
    }
  }
  throw new Error("MiniBrowser is missing: cargo xtask setup installs it");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
