// The page: loads the library, gets a token, and gives both to its two views.

import { Announcer } from "./announcer.js";
import { ArchivesView } from "./archives-view.js";
import { Confirmation } from "./confirmation.js";
import { makeCopyButtonsWork } from "./copy.js";
import { showFailure } from "./failure.js";
import { readParameters } from "./parameters.js";
import { Remembered } from "./remembered.js";
import { DevelopmentToken } from "./token.js";
import { UploadView } from "./upload-view.js";
import { Views } from "./views.js";
import { percentInWords } from "./words.js";

const byId = (id) => document.getElementById(id);
const templates = Object.fromEntries([...document.querySelectorAll("template")].map((found) => [found.id, found]));
const parameters = readParameters(location.search);
const token = new DevelopmentToken();
const getHeaders = () => token.headers();
const uploaders = new Map();
const remembered = new Remembered();
const confirmation = new Confirmation(templates.failure);
let library;

const uploadAnnouncer = new Announcer(byId("announcements"), () => uploadView.inWords());
const archivesAnnouncer = new Announcer(byId("archives-announcements"), () => archivesView.inWords());
makeCopyButtonsWork((sentence) => uploadAnnouncer.say(sentence));

const uploadView = new UploadView({
  templates,
  announcer: uploadAnnouncer,
  confirmation,
  ready: () => started,
  vault: () => byId("vault").value,
  uploaderFor,
  onStored: (archive) => archivesView.addUpload(archive),
  onDenied: () => token.forget(),
  onTotal(sum, share) {
    views.progress = sum.active > 0 ? percentInWords(share) : "";
    guardLeaving();
  },
  onDrop: () => views.show("upload"),
  onLeft: () => showLeftBehind({ quietly: true }),
});

const archivesView = new ArchivesView({
  templates,
  announcer: archivesAnnouncer,
  confirmation,
  remembered,
  onDenied: () => token.forget(),
  onActivity: guardLeaving,
  onVault(name) {
    byId("vault").value = name;
    archivesView.open(name);
  },
});

const views = new Views([...document.querySelectorAll("[data-view]")], (name) => {
  if (name === "archives") archivesView.open(byId("vault").value);
});

byId("vault").addEventListener("change", (event) => {
  if (views.current === "archives") archivesView.open(event.target.value);
});

// Leaving: asked only while something would be lost

let guarded = false;
const askBeforeLeaving = (event) => event.preventDefault();

function guardLeaving() {
  const wanted = uploadView.active || archivesView.active;
  if (wanted === guarded) return;
  guarded = wanted;
  if (wanted) addEventListener("beforeunload", askBeforeLeaving);
  else removeEventListener("beforeunload", askBeforeLeaving);
}

// Uploaders, one per vault

async function uploaderFor(vault) {
  try {
    if (!uploaders.has(vault)) {
      uploaders.set(vault, library.createUploader({ ...parameters.options, target: { vault }, getHeaders }));
    }
    return await uploaders.get(vault);
  } catch (error) {
    uploaders.delete(vault);
    showPageError(error);
    return undefined;
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
  uploadView.close(uploaders.size === 0);
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
  uploadView.close(false); // without a token, but with a vault, it may be tried
  document.documentElement.dataset.ready = "true";
  showLeftBehind();
  startArchives();
}

async function showLeftBehind(options) {
  const known = await Promise.all(vaultNames().map(uploaderFor));
  await uploadView.showLeftBehind(known.filter(Boolean), options);
}

async function startArchives() {
  const { partSize, ...options } = parameters.options; // of uploads alone
  try {
    const vaults = await library.createVaults({ ...options, getHeaders });
    archivesView.start({ vaults, alignRange: library.alignRange, names: vaultNames() });
    if (views.current === "archives") archivesView.open(byId("vault").value);
  } catch (error) {
    showPageError(error);
  }
}

const vaultNames = () => [...byId("vault").options].map((option) => option.value);

byId("description").value = parameters.description;
const started = start();
