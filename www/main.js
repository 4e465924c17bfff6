// The page: files in, rows out. What an upload is and when it is done is the library's business.

import { Announcer } from "./announcer.js";
import { acceptDrops } from "./drop.js";
import { showFailure } from "./failure.js";
import { readParameters } from "./parameters.js";
import { DevelopmentToken } from "./token.js";
import { Total } from "./total.js";
import { UploadRow } from "./upload-row.js";
import { failureInWords, filesInWords } from "./words.js";

const RENDER_EVERY_MS = 250;
const LONG_LIST = 50; // rows
const WORK_FOR_MS = 12; // then the browser has its turn, so that thousands of files do not freeze the page

const byId = (id) => document.getElementById(id);
const templates = { row: byId("upload-row"), proof: byId("proof"), failure: byId("failure") };
const list = byId("uploads");
const total = new Total(byId("total"));
const rows = new Set();
const rowOf = new WeakMap();
const changed = new Set();
const announcer = new Announcer(byId("announcements"), () => `${Total.words(Total.of(rows))}.`);
const parameters = readParameters(location.search);
const token = new DevelopmentToken();
const uploaders = new Map();
let library;

// Drawing: all changes since the last time, a few times a second

let renderTimer;
let renderedAt = -Infinity;

function renderSoon(wait = Math.max(0, renderedAt + RENDER_EVERY_MS - performance.now())) {
  renderTimer ??= setTimeout(render, wait);
}

function render() {
  renderTimer = undefined;
  renderedAt = performance.now();
  list.toggleAttribute("data-long", rows.size > LONG_LIST);
  document.body.toggleAttribute("data-begun", rows.size > 0);
  for (const row of changed) {
    changed.delete(row);
    row.render(templates);
    if (performance.now() - renderedAt > WORK_FOR_MS) break;
  }
  if (changed.size > 0) return renderSoon(0); // the rest first, then the sums
  const sum = total.render(rows);
  guardLeaving(sum.active > 0);
  if (sum.active > sum.paused) renderSoon(); // speed and time left fall even while nothing arrives
}

function onRowChanged(row, was) {
  changed.add(row);
  renderSoon();
  if (row.state === was) return;
  if (row.state === "done") announcer.say(`${row.name} is stored and verified.`);
  if (row.state === "paused") announcer.say(`${row.name} is paused.`);
  if (row.state === "aborted") announcer.say(`${row.name} is cancelled.`);
  if (row.state === "failed") {
    announcer.say(`${row.name}: ${failureInWords(row.error).title}.`);
    if (row.error.code?.startsWith("AUTH_")) token.forget();
  }
}

// Leaving: asked only while something would be lost

let guarded = false;
const askBeforeLeaving = (event) => event.preventDefault();

function guardLeaving(wanted) {
  if (wanted === guarded) return;
  guarded = wanted;
  if (wanted) addEventListener("beforeunload", askBeforeLeaving);
  else removeEventListener("beforeunload", askBeforeLeaving);
}

// Files in

async function addFiles(files, folders = []) {
  await started; // files chosen before the page is ready wait for it
  if (byId("file-input").disabled) return;
  const uploader = await uploaderFor(byId("vault").value);
  if (!uploader) return;
  const description = byId("description").value;
  const fresh = [
    ...folders.map((name) => new UploadRow({ name, size: NaN }, refuseFolder, onRowChanged)),
    ...files.map((file) => {
      let text = description;
      return new UploadRow(file, (failure) => {
        if (failure?.code === "INVALID_DESCRIPTION") text = byId("description").value; // by now corrected, perhaps
        return uploader.add(file, text === "" ? {} : { description: text });
      }, onRowChanged);
    }),
  ];
  announcer.say(`${filesInWords(fresh.length)} added.`);
  let yieldAt = performance.now() + WORK_FOR_MS;
  for (const row of fresh) {
    rows.add(row);
    row.start();
    row.render(templates);
    rowOf.set(row.element, row);
    list.append(row.element);
    if (performance.now() < yieldAt) continue;
    await new Promise((resolve) => setTimeout(resolve));
    yieldAt = performance.now() + WORK_FOR_MS;
  }
}

function refuseFolder() {
  throw { code: "IS_DIRECTORY", message: "A folder was dropped.", hint: "Add the files inside it.", retryable: false };
}

byId("file-input").addEventListener("change", (event) => {
  const files = [...event.target.files];
  event.target.value = ""; // so that the same file can be chosen again
  addFiles(files);
});

acceptDrops(({ files, folders }) => addFiles(files, folders), (over) => { byId("drop-veil").hidden = !over; });

// Buttons

list.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  const row = button && rowOf.get(button.closest("[data-upload]"));
  if (!row) return;
  switch (button.dataset.action) {
    case "copy-id":
      return copy(button, "Archive ID");
    case "copy-hash":
      return copy(button, "Tree hash");
    case "dismiss":
      return remove([row]);
    default:
      return row.act(button.dataset.action);
  }
});

byId("pause-all").addEventListener("click", () => rows.forEach((row) => row.pause()));
byId("resume-all").addEventListener("click", () => rows.forEach((row) => row.resume()));
byId("clear-finished").addEventListener("click", () => remove([...rows].filter((row) => row.clearable)));

function remove(leaving) {
  const hadFocus = leaving.find((row) => row.element.contains(document.activeElement));
  const next = hadFocus?.element.nextElementSibling ?? hadFocus?.element.previousElementSibling ?? byId("file-input");
  for (const row of leaving) {
    rows.delete(row);
    changed.delete(row);
    row.element.remove();
  }
  if (hadFocus || document.activeElement === document.body) next.focus();
  renderSoon();
}

async function copy(button, what) {
  const code = button.previousElementSibling;
  const copied = await navigator.clipboard?.writeText(code.textContent).then(() => true, () => false);
  if (!copied) getSelection().selectAllChildren(code); // the browser says no: one key press away instead
  button.textContent = copied ? "Copied" : "Selected";
  announcer.say(copied ? `${what} copied.` : `${what} selected, ready to copy.`);
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

// Uploaders, one per vault

async function uploaderFor(vault) {
  try {
    if (!uploaders.has(vault)) {
      uploaders.set(vault, library.createUploader({ ...parameters.options, target: { vault }, getHeaders: bearer }));
    }
    return await uploaders.get(vault);
  } catch (error) {
    uploaders.delete(vault);
    showPageError(error);
    return undefined;
  }
}

async function bearer() {
  try {
    const { token: text } = await token.current();
    return { authorization: `Bearer ${text}` };
  } catch (error) {
    if (error.code === "AUTH_MISSING") return {}; // the gateway says best what it misses
    throw error;
  }
}

function showPageError(error) {
  const place = byId("page-error");
  showFailure(place, error, templates.failure);
  place.dataset.errorCode = error.code ?? "INTERNAL";
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Try again";
  again.addEventListener("click", () => location.reload());
  place.querySelector(".failure").append(again);
  place.querySelector("details").open = true; // a wrong setting is named there
  place.hidden = false;
  closeEntrance(uploaders.size === 0);
}

function closeEntrance(closed) {
  byId("drop").toggleAttribute("data-closed", closed);
  byId("file-input").disabled = closed;
}

function offerVaults(current, vaults) {
  const select = byId("vault");
  const names = vaults.includes(current) ? vaults : [current, ...vaults];
  select.replaceChildren(...names.map((name) => new Option(name, name, name === current, name === current)));
  select.disabled = names.length === 1;
  byId("vault-field").hidden = false;
}

async function start() {
  try {
    library = await import("./glacier-upload/index.js");
  } catch (cause) {
    return showPageError({
      code: "UNSUPPORTED",
      title: "The page could not be loaded completely",
      advice: "Reload it. If that does not help, use a current version of Chrome, Edge, Firefox or Safari.",
      message: `The upload library could not be loaded: ${cause.message}`,
    });
  }
  let answer;
  try {
    answer = await token.current();
  } catch (error) {
    showPageError(error);
    if (parameters.vault === null) return;
  }
  const vault = parameters.vault ?? answer.vault;
  offerVaults(vault, answer?.vaults ?? []);
  if (!(await uploaderFor(vault))) return;
  closeEntrance(false); // without a token, but with a vault, it may be tried
  document.documentElement.dataset.ready = "true";
}

addEventListener("online", () => rows.forEach((row) => onRowChanged(row, row.state)));
addEventListener("offline", () => rows.forEach((row) => onRowChanged(row, row.state)));
byId("description").value = parameters.description;
const started = start();
