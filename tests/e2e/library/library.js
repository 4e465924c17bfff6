// Hands the package to the tests, with the one thing every page writes itself: fetching a token.
import * as library from "./glacier-upload/index.js";

globalThis.library = library;

globalThis.bearer = async () => {
  const headers = { "content-type": "application/json" };
  const response = await fetch("/v1/dev-token", { method: "POST", headers, body: "{}" });
  return { authorization: `Bearer ${(await response.json()).token}` };
};

/** Runs an action that must fail, and tells how. */
globalThis.failureOf = async (action) => {
  try {
    return { succeeded: await action() };
  } catch (error) {
    const { name, code, message, hint, retryable, status, serviceCode, requestId } = error;
    const isUploadError = error instanceof library.UploadError && error instanceof Error;
    return { isUploadError, name, code, message, hint, retryable, status, serviceCode, requestId };
  }
};

document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  globalThis.dropped = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry());
});
document.documentElement.dataset.ready = "true";
