// Runs in a web worker. The first message brings the compiled module; every other is an order for the session.

import { initSync, WorkerSession } from "./glacier_upload.js";

addEventListener(
  "message",
  ({ data }) => {
    try {
      initSync({ module: data.module });
      const session = new WorkerSession();
      addEventListener("message", ({ data }) => session.receive(data));
      postMessage({ ready: true });
    } catch (error) {
      postMessage({ error: String(error) });
    }
  },
  { once: true },
);
