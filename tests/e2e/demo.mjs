// Uploads a file through the real page in a headless Chromium, as a person would, and proves the result against a
// tree hash of its own. Usage: node demo.mjs URL FILE
import { launch } from "./browsers.mjs";
import { fileFacts } from "./files.mjs";
import { openPage } from "./page.mjs";

const [url, file] = process.argv.slice(2);
const percent = (part) => `${(100 * part).toFixed(1).padStart(5)} %`;
const browser = await launch("chromium");
try {
  const expected = fileFacts(file);
  await openPage(browser, url);
  await browser.setFiles("#file-input", [file]);
  const row = await followed();
  const facts = await expected;
  const proved =
    row.state === "done" && row.archiveId && row.treeHash === facts.treeHash && Number(row.size) === facts.size;
  if (row.state !== "done") {
    console.error(`the upload ended as ${row.state}: ${row.errorCode ?? "no error code"}\n${row.text}`);
  } else {
    console.log(`archive ID  ${row.archiveId}\nsize        ${row.size}\ntree hash   ${row.treeHash}`);
    console.log(proved ? "verified    the same size and tree hash, computed from the file by Node's crypto"
      : `NOT VERIFIED: Node's crypto finds ${facts.size} bytes with tree hash ${facts.treeHash}`);
  }
  process.exitCode = proved ? 0 : 1;
} finally {
  await browser.close();
}

/** Prints the upload's progress until it ends. */
async function followed() {
  let printed;
  for (;;) {
    const row = await browser.evaluate(() => {
      const row = document.querySelector("[data-upload]");
      return row && { ...row.dataset, text: row.innerText };
    });
    const line = row && `${row.state.padEnd(11)} ${percent(Number(row.progress || 0))}`;
    if (line && line !== printed) console.log(line);
    printed = line;
    if (row && ["done", "failed", "aborted"].includes(row.state)) return row;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
