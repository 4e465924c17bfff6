// A web server of the tests' own: serves a folder without any policy, answers what a test tells it to, and hands the
// gateway's and the store's paths on. For what the real server rightly refuses: other origins, other policies.

import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { Transform } from "node:stream";
import { tmpdir } from "node:os";
import { extname, join, normalize, resolve } from "node:path";
import { SITE } from "./gateway.mjs";

const TYPES = {
  ".css": "text/css", ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript",
  ".svg": "image/svg+xml", ".wasm": "application/wasm", ".json": "application/json",
};

/**
 * `answers` maps a path to `{status, type, body}`, or to a function of Node's request and response; `gateway` is the URL
 * that /v1, /-/ and /{account}/ are handed to, or a function that gives it; `missing(path)` tells what to answer 404 to
 * although it exists; `takes` maps a path to a function that is given the request's body as a stream and returns what to
 * answer as JSON. `meddle(request)` stands between the page and the gateway: it may return `{status, body}` to answer itself
 * (with JSON, or with a Buffer and `headers`), `{hang: true}` to answer nothing, `{flip: n}` to change the n-th byte of the
 * answer, `{more: {…}}` to add headers to it, or `{lose: (answer) => …}` to let the gateway answer, tell the test, and keep
 * the answer from the page.
 */
export async function startSite(
  folder, { gateway, answers = {}, missing = () => false, takes = {}, meddle = () => undefined } = {},
) {
  const server = createServer(async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, "http://localhost");
    const answer = answers[pathname];
    if (typeof answer === "function") {
      answer(incoming, outgoing);
    } else if (answer) {
      incoming.resume();
      outgoing.writeHead(answer.status, { "content-type": answer.type ?? "application/json" }).end(answer.body);
    } else if (takes[pathname]) {
      const taken = JSON.stringify(await takes[pathname](incoming));
      outgoing.writeHead(200, { "content-type": "application/json" }).end(taken);
    } else if (gateway && /^\/(v1|-|\d{12})\//.test(pathname)) {
      between(typeof gateway === "function" ? gateway() : gateway, incoming, outgoing, meddle(incoming));
    } else {
      await serve(folder, missing(pathname) ? "/missing" : pathname, outgoing);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Stands before a store whose requests are signed for this address: everything is handed on with its `Host`. */
export async function startProxy(store, meddle) {
  const server = createServer((incoming, outgoing) => {
    between(store, incoming, outgoing, { ...meddle(incoming), asItIs: true });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function between(server, incoming, outgoing, trouble) {
  if (trouble?.hang) {
    incoming.resume();
  } else if (trouble?.status) {
    incoming.resume();
    const { status, body, headers = { "content-type": "application/json" } } = trouble;
    outgoing.writeHead(status, headers).end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
  } else {
    handOn(server, incoming, outgoing, trouble);
  }
}

/** Sends a request on to the gateway, and its answer back, unless it is changed or lost on the way. */
export function handOn(gateway, incoming, outgoing, { flip, lose, more = {}, asItIs = false } = {}) {
  const { host } = new URL(gateway);
  const headers = asItIs ? incoming.headers : { ...incoming.headers, host };
  if (headers.origin && !asItIs) headers.origin = gateway;
  const onward = request(gateway + incoming.url, { method: incoming.method, headers }, (answer) => {
    if (lose) {
      answer.resume();
      lose(answer);
      return;
    }
    outgoing.writeHead(answer.statusCode, { ...answer.headers, ...more });
    if (flip === undefined) {
      answer.pipe(outgoing);
    } else {
      answer.pipe(flipped(flip)).pipe(outgoing);
    }
  });
  onward.on("error", () => outgoing.destroy());
  outgoing.on("close", () => { if (!lose) onward.destroy(); });
  incoming.pipe(onward);
}

function flipped(position) {
  let at = 0;
  return new Transform({
    transform(chunk, encoding, done) {
      if (at <= position && position < at + chunk.length) chunk[position - at] ^= 1;
      at += chunk.length;
      done(null, chunk);
    },
  });
}

async function serve(folder, pathname, outgoing) {
  const path = join(folder, normalize(decodeURIComponent(pathname.endsWith("/") ? `${pathname}index.html` : pathname)));
  try {
    const body = await readFile(path);
    outgoing.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(body);
  } catch {
    outgoing.writeHead(404, { "content-type": "text/plain" }).end("not found");
  }
}

/** A folder with the page of `library/` and the built package. */
export async function librarySite() {
  const folder = await mkdtemp(join(tmpdir(), "glacier-upload-library-"));
  await cp(resolve(import.meta.dirname, "library"), folder, { recursive: true });
  await cp(join(SITE, "glacier-upload"), join(folder, "glacier-upload"), { recursive: true });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
