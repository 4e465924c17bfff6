// A page in a browser that may do everything with some vaults of a real gateway, whose stream of events is in the test's
// hands. In the page: `connect(options)` makes a way to the vaults, `store(vault, bytes)` an archive, `all(items)` reads an
// iterator to its end, and `sent` is every request since it was emptied.

import { launch } from "./browsers.mjs";
import { startGateway } from "./gateway.mjs";
import { handOn, startSite } from "./site.mjs";

/** `folder` is the package with a page; `vaults` are those that the page's token is good for. */
export async function openAccount(engine, folder, vaults) {
  const gateway = await startGateway();
  const account = {
    gateway,
    browser: undefined,
    /** Whether the gateway has events. Without, it answers 404; `"real"` are the gateway's own. */
    hasEvents: false,
    /** Every stream that the page has opened: `{ url, headers, open, send(name, data), end() }`. */
    streams: [],
    async close() {
      await account.browser?.close();
      await site.stop();
      await gateway.stop();
    },
  };
  const events = (incoming, outgoing) => {
    if (account.hasEvents === "real") {
      handOn(gateway.url, incoming, outgoing);
      return;
    }
    if (!account.hasEvents) {
      outgoing.writeHead(404, { "content-type": "application/json" }).end('{"code":"not_found"}');
      return;
    }
    outgoing.writeHead(200, { "content-type": "text/event-stream" }).write(": open\n\n");
    const stream = {
      url: incoming.url,
      headers: incoming.headers,
      open: true,
      send: (name, data) => outgoing.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`),
      end: () => outgoing.destroy(),
    };
    outgoing.on("close", () => (stream.open = false));
    account.streams.push(stream);
  };
  const site = await startSite(folder, { gateway: gateway.url, answers: { "/v1/events": events } });
  account.browser = await launch(engine);
  await account.browser.open(`${site.url}/`);
  await account.browser.waitFor(() => document.documentElement.dataset.ready);
  const token = gateway.token({ vaults, ops: ["upload", "read", "delete", "admin"] });
  await account.browser.evaluate((token) => {
    globalThis.sent = [];
    const real = fetch;
    globalThis.fetch = (url, init) => {
      sent.push(`${init?.method ?? "GET"} ${new URL(url, location).pathname}${new URL(url, location).search}`);
      return real(url, init);
    };
    globalThis.granted = () => ({ authorization: `Bearer ${token}` });
    globalThis.connect = (options) => library.createVaults({ endpoint: "/v1", getHeaders: granted, ...options });
    globalThis.all = async (items) => {
      const found = [];
      for await (const item of items) found.push(item);
      return found;
    };
    globalThis.store = async (vault, bytes, description) => {
      const uploader = await library.createUploader({ endpoint: "/v1", target: { vault }, getHeaders: granted });
      const archive = await uploader.add(new Blob([bytes]), { description }).done();
      await uploader.close();
      return archive;
    };
  }, [token]);
  return account;
}
