// What the tests of downloads need in the page: jobs, targets, and sending back what was written.

/** A vault, as a page gets it that was given a token. */
globalThis.vaultOf = async ({ vault, bearer, more }) =>
  (await library.createVaults({ endpoint: "/v1", getHeaders: () => ({ authorization: bearer }), ...more })).vault(vault);

/** The job that was described to the test. */
globalThis.jobOf = async (through, { JobId }) => (await vaultOf(through)).job(JobId);

globalThis.file = async (name) => (await navigator.storage.getDirectory()).getFileHandle(name, { create: true });

/** A handle of the same file that can only be written by way of a copy, as that of a picked file is. */
globalThis.pickedFile = async (name) => {
  const handle = await file(name);
  const { kind } = handle;
  return { kind, getFile: () => handle.getFile(), createWritable: (options) => handle.createWritable(options) };
};

/** Waits until nobody has the file's lock: Firefox gives it back a moment after the file was closed. */
globalThis.isFree = async (name) => {
  for (;;) {
    try {
      return await (await (await file(name)).createWritable({ keepExistingData: true })).abort();
    } catch (error) {
      if (error.name !== "NoModificationAllowedError") throw error;
    }
  }
};

globalThis.readBack = async (blob) => (await fetch("/read-back", { method: "PUT", body: blob })).json();

/** Collects what is written to it. */
globalThis.collector = (onChunk = () => {}) => {
  const seen = { chunks: [], bytes: 0, closed: false, reason: undefined };
  const stream = new WritableStream({
    async write(chunk) {
      await onChunk(seen, chunk);
      seen.chunks.push(new Blob([chunk]));
      seen.bytes += chunk.byteLength;
    },
    close: () => { seen.closed = true; },
    abort: (reason) => { seen.reason = reason instanceof library.UploadError ? reason.code : reason.name; },
  });
  return { stream, seen };
};

globalThis.until = (download, condition) => new Promise((resolve) => {
  const look = () => {
    if (!condition(download)) return;
    stops.forEach((stop) => stop());
    resolve();
  };
  const stops = [download.on("progress", look), download.on("state", look)];
  look();
});

document.documentElement.dataset.downloads = "true";
