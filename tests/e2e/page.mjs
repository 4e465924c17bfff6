// The demo page's stable hooks: the file input, and a row with data attributes for each upload.

/** Opens the page and waits until it takes files, or says why it does not. */
export async function openPage(browser, url, query = "") {
  await browser.open(`${url}/${query}`);
  await browser.waitFor(
    () => document.documentElement.dataset.ready || document.querySelector("#page-error")?.dataset.errorCode, [],
    { what: "the page to be ready" },
  );
}

/** All uploads on the page: `{state, progress, archiveId, treeHash, size, errorCode, text}`. */
export function uploads(browser) {
  return browser.evaluate(() =>
    [...document.querySelectorAll("[data-upload]")].map((row) => ({ ...row.dataset, text: row.innerText })));
}

/** Waits until upload number `index` has come to an end, and returns it. */
export function ended(browser, index = 0, timeoutMs = 120_000) {
  return reached(browser, ["done", "failed", "aborted"], index, timeoutMs);
}

/** Waits until upload number `index` is in one of the states, and returns it. */
export function reached(browser, states, index = 0, timeoutMs = 120_000) {
  const find = (index, states) => {
    const row = document.querySelectorAll("[data-upload]")[index];
    return row && states.includes(row.dataset.state) ? { ...row.dataset, text: row.innerText } : null;
  };
  return browser.waitFor(find, [index, states], { timeoutMs, what: `upload ${index} to be ${states.join(" or ")}` });
}
