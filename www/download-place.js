// Where a download goes, by what the browser can do:
//
// - `file`: Chromium writes into a file that the person picks, of any size, and can go on after a reload.
// - `private`: others collect it in the browser's private storage, which survives a reload too, and hand it over as an
//   ordinary download once it is checked. Until then it takes its room twice.
// - `memory`: the rest hold it in memory, so that it is small and lost with the page.

import { sizeInWords } from "./words.js";

const LOCK = "glacier-upload-private-files";
const MEMORY_LIMIT = 512 * 2 ** 20; // what `job.download()` without a target takes

/** Which of the three this browser has. */
export function placeKind() {
  if ("showSaveFilePicker" in window) return "file";
  const writes = "createWritable" in (globalThis.FileSystemFileHandle?.prototype ?? {});
  return writes && navigator.storage?.getDirectory ? "private" : "memory";
}

/** What the person should know before a download begins, or nothing. */
export function placeInWords(bytes) {
  switch (placeKind()) {
    case "private":
      return "This browser cannot write into a file of your choice. The page collects the download in the browser’s own "
        + `storage, checks it, and then saves it as usual: until then it takes ${sizeInWords(bytes)} twice.`;
    case "memory":
      return "This browser can only keep the download in memory until it is complete, 512 MB at most, and has to start "
        + "over after a reload.";
    default:
      return "";
  }
}

/**
 * Asks for a place for `bytes` named `name`: `{handle, fileName?}`, `{}` for memory, or `undefined` when the person
 * changed their mind. Call it while a click is handled. Throws what the page can show.
 */
export async function newPlace(name, bytes) {
  switch (placeKind()) {
    case "file":
      try {
        return { handle: await showSaveFilePicker({ suggestedName: name }) };
      } catch (error) {
        if (error.name === "AbortError") return undefined;
        throw sinkFailed("The browser did not give a file to write to.", error);
      }
    case "private": {
      const { quota = Infinity, usage = 0 } = (await navigator.storage.estimate?.()) ?? {};
      if (bytes > quota - usage) {
        throw {
          code: "SINK_FAILED",
          title: "It does not fit into this browser’s storage",
          advice: `The browser lets this page keep ${sizeInWords(Math.max(0, quota - usage))}, and this is ${sizeInWords(bytes)}. `
            + "Get back a part of it, or use Chrome or Edge, which write into a file of your choice.",
          message: `quota ${quota}, used ${usage}, wanted ${bytes}`,
          retryable: false,
        };
      }
      const fileName = crypto.randomUUID();
      return { handle: await privateFile(fileName, { create: true }), fileName };
    }
    default:
      if (bytes > MEMORY_LIMIT) {
        throw {
          code: "UNSUPPORTED",
          title: "This is too much for this browser",
          advice: "It can only keep downloads of up to 512 MB in memory. Get back a part of it, or use a current version "
            + "of Chrome, Edge or Firefox.",
          message: `${bytes} bytes wanted`,
          retryable: false,
        };
      }
      return {};
  }
}

/** Opens the place of an earlier visit, asking for permission again where the browser wants it. Call it in a click. */
export async function oldPlace({ handle, fileName }) {
  try {
    if (fileName !== undefined) return { handle: await privateFile(fileName), fileName };
    if ((await handle.requestPermission?.({ mode: "readwrite" })) === "denied") return undefined;
    await handle.getFile(); // throws when it was removed
    return { handle };
  } catch (error) {
    throw sinkFailed("The file of the earlier visit is gone or cannot be opened.", error);
  }
}

/** Hands a finished download over to the browser, as a click on a link would. */
export function saveAs(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // Long enough for every browser to have begun; the address keeps the bytes alive.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export async function removePrivateFile(fileName) {
  const folder = await navigator.storage.getDirectory();
  await folder.removeEntry(fileName).catch(() => {}); // gone is as good
}

/**
 * Removes what no remembered download speaks of: copies that were handed over on an earlier visit. `used()` resolves
 * with the names that are still wanted. While another tab has the page open nothing is removed: it may be at work.
 */
export async function removeUnusedPrivateFiles(used) {
  if (placeKind() !== "private") return;
  await navigator.locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    const wanted = await used();
    const folder = await navigator.storage.getDirectory();
    for await (const name of folder.keys()) {
      if (!wanted.includes(name)) await removePrivateFile(name);
    }
  });
  navigator.locks.request(LOCK, { mode: "shared" }, () => new Promise(() => {})); // until the page is closed
}

async function privateFile(name, options) {
  const folder = await navigator.storage.getDirectory();
  return folder.getFileHandle(name, options);
}

function sinkFailed(message, cause) {
  const hint = "Start the download anew and choose where it goes.";
  return Object.assign(new Error(message, { cause }), { code: "SINK_FAILED", hint, retryable: false });
}
