// What the page says: sizes, times, states and failures in plain words.

const LOCALE = "en";
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

/** `1500000` as `1.5 MB`, in steps of a thousand. */
export function sizeInWords(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const maximumFractionDigits = unit === 0 || value >= 100 ? 0 : 1;
  const style = { style: "unit", unit: UNITS[unit], unitDisplay: unit === 0 ? "long" : "short", maximumFractionDigits };
  return new Intl.NumberFormat(LOCALE, style).format(value);
}

/** `43` as `43%`. Rounded down, so that 100% means all. */
export const percentInWords = (share) => `${Math.floor(share * 100)}%`;

/** Milliseconds as `about 3 min left`. */
export function timeLeftInWords(ms) {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h left` : `${hours} h ${minutes % 60} min left`;
  return `${Math.round(hours / 24)} days left`;
}

/** Speed and time left, as far as they are known. */
export function paceInWords(bytesPerSecond, etaMs) {
  const words = [];
  if (bytesPerSecond > 0) words.push(`${sizeInWords(bytesPerSecond)}/s`);
  if (etaMs !== null) words.push(timeLeftInWords(etaMs));
  return words.join(" · ");
}

/** `1 file`, `12 files`. */
export const filesInWords = (count) =>
  count === 1 ? "1 file" : `${new Intl.NumberFormat(LOCALE).format(count)} files`;

const STATES = {
  queued: "Waiting for its turn",
  hashing: "Reading and hashing",
  uploading: "Uploading",
  paused: "Paused",
  completing: "The store is checking the whole file",
  done: "Stored",
  failed: "Not stored",
  aborted: "Cancelled",
};

/** An upload's state. A pause nobody asked for is explained. */
export function stateInWords(state, { cancelling, online }) {
  if (cancelling) return "Cancelling";
  if (state === "paused" && !online) return "Paused: this device is offline";
  return STATES[state];
}

// What happened, and what the person in front of the page can do about it. Where the second is missing the error's own
// hint says it, which may know more about the case.
const FAILURES = {
  ARCHIVE_NOT_FOUND: [
    "The store has no such archive any more",
    "It was deleted, perhaps from another device, or is in another vault. An inventory shows what is there.",
  ],
  AUTH_DENIED: ["You may not store files here", "Ask whoever runs this service for access to this vault."],
  AUTH_EXPIRED: ["Your access has expired", "Try again: the page then asks for new access."],
  AUTH_MISSING: [
    "This page has no access to the server",
    "Reload it. If that does not help, ask whoever runs this service.",
  ],
  BUCKET_NOT_FOUND: ["There is no such bucket", "Ask whoever runs this service which one to use."],
  CHECKSUM_MISMATCH_PART: ["A piece of the file kept arriving damaged"],
  CHECKSUM_MISMATCH_RANGE: ["A piece of the download kept arriving damaged"],
  CHECKSUM_MISMATCH_WHOLE: ["The stored file did not match yours"],
  CLOCK_SKEW: ["The clocks do not agree"],
  CORS_NOT_ALLOWED: [
    "The bucket does not let this page in",
    "Tell whoever runs the bucket. The details have the rules that it needs.",
  ],
  EXPEDITED_UNAVAILABLE: [
    "The store cannot hurry at the moment",
    "Ask for it with the standard speed, or try again later.",
  ],
  FILE_CHANGED: [
    "The file changed after you chose it",
    "Close the program that writes to it, then choose the file again.",
  ],
  FILE_EMPTY: ["This file is empty", "Only files with at least one byte can be stored. Choose another file."],
  FILE_TOO_LARGE: [
    "This file is too large",
    "One archive holds 40,000 GiB at most. Split the file and send the pieces.",
  ],
  FILE_UNREADABLE: ["The file cannot be read"],
  INTERNAL: [
    "Something went wrong in this page",
    "Reload the page and try again. If it happens again, please report the details.",
  ],
  INVALID_BUCKET_NAME: ["There can be no bucket of that name", "Correct the bucket's name."],
  INVALID_DESCRIPTION: [
    "The description cannot be stored",
    "Use plain ASCII characters, 1,024 at most, then start over.",
  ],
  INVALID_KEY: ["The file cannot be stored under this name", "Rename the file, then add it again."],
  INVALID_OPTION: [
    "A setting of this page is wrong",
    "Correct the setting named in the details, or remove it from the address.",
  ],
  INVALID_PART_SIZE: ["The part size cannot be used", "Correct partSize in the address, or remove it."],
  INVALID_RANGE: [
    "There is no such part of the archive",
    "It has to begin before it ends, and to end inside the archive. Correct the numbers.",
  ],
  INVALID_VAULT_NAME: ["There can be no vault of that name", "Correct vault in the address, or remove it."],
  INVENTORY_UNREADABLE: [
    "The inventory is damaged or incomplete",
    "The list of archives is as it was before. Take another inventory.",
  ],
  IS_DIRECTORY: [
    "This is a folder",
    "Folders cannot be stored. Open it and add the files inside, or pack it into one file first.",
  ],
  JOB_EXPIRED: [
    "The store has thrown this away again",
    "It keeps what it fetched for a day. Ask for it once more; a download that was begun goes on where it was.",
  ],
  JOB_FAILED: ["The store could not do it", "Ask for it once more. If it happens again, tell whoever runs this service."],
  JOB_NOT_READY: ["The store is not done with it yet", "Wait until it is ready. It is downloaded from there on."],
  LIMIT_EXCEEDED: ["This is more than you may store here"],
  NETWORK: ["The server cannot be reached"],
  NOT_OUR_SERVER: [
    "The answer did not come from an upload server",
    "A login page or proxy may be in between. Reload the page, or ask whoever runs this service.",
  ],
  OBJECT_CHANGED: [
    "The object was replaced while it was being downloaded",
    "Download it again from the beginning. What has arrived is of the former one.",
  ],
  OBJECT_EXISTS: [
    "There is something of that name already",
    "It was left as it is. Rename the file, then add it again.",
  ],
  OBJECT_NOT_FOUND: ["The bucket has no such object any more", "It was deleted, perhaps from another device."],
  RATE_LIMITED: ["The server is busy"],
  REFUSED: ["The server refused the file"],
  SERVER: ["The server has a problem"],
  SIGN_FAILED: [
    "The server did not approve the upload",
    "Try again. If it happens again, tell whoever runs this service.",
  ],
  SINK_FAILED: [
    "The file could not be written",
    "Make sure that there is room on the disk, then try again. What has arrived already is kept where possible.",
  ],
  STALLED: ["The connection went quiet"],
  TOO_MANY_PARTS: ["The part size is too small for this file", "Make partSize in the address larger, or remove it."],
  UNSUPPORTED: ["This browser cannot do it", "Use a current version of Chrome, Edge, Firefox or Safari."],
  UPLOAD_EXPIRED: ["The store has given up on this upload"],
  UPLOAD_IN_USE: ["This upload is going on in another tab", "Continue there, or close that tab first."],
  VAULTS_CLOSED: ["This account cannot use vaults"],
  VAULT_NOT_FOUND: [
    "There is no such vault",
    "Choose another vault, or ask whoever runs this service to create it.",
  ],
  WORKER_FAILED: ["The page lost the helper that reads files", "Try again. If it happens again, reload the page."],
};

// The same, where it was not a file that was to be stored.
const ELSEWHERE = {
  CHECKSUM_MISMATCH_WHOLE: [
    "What arrived is not what was stored",
    "Nothing was reported as downloaded. Download it again; if it happens again, the store needs looking at.",
  ],
  LIMIT_EXCEEDED: ["This is more than you may ask for here"],
  REFUSED: ["The server refused it"],
  SIGN_FAILED: [
    "The server did not approve the request",
    "Try again. If it happens again, tell whoever runs this service.",
  ],
};

// The same, where it is to be continued.
const CONTINUED = {
  FILE_CHANGED: [
    "This is another file, or it has changed",
    "Choose the one that this upload was begun with. To store this one as it is now, add it as a new file.",
  ],
  UPLOAD_EXPIRED: [
    "There is nothing left to continue",
    "It was finished or discarded meanwhile, or the store has dropped it. Look for it among the archives before you add "
      + "the file again.",
  ],
};

// Permission is for one thing and not for another, so a refusal says for which.
const DENIED = {
  delete: [
    "You may not delete archives here",
    "Nothing was removed. Your access is for storing files and getting them back. Deleting is kept apart, because "
      + "nothing brings an archive back: ask whoever runs this service.",
  ],
  "remove-upload": [
    "You may not remove unfinished uploads here",
    "Nothing was removed. Ask whoever runs this service, or wait: the store drops them by itself after a day.",
  ],
  retrieve: ["You may not get archives back from here", "Ask whoever runs this service for access to read this vault."],
  discard: [
    "You may not remove unfinished uploads here",
    "What is stored of it stays. Ask whoever runs this service, or wait: the store drops it by itself after a day.",
  ],
  look: ["You may not look into this vault", "Ask whoever runs this service for access to read it."],
};

/**
 * Title and advice for a failure. `doing` says what was tried, where it was not storing a new file: `look`, `retrieve`,
 * `delete`, `remove-upload`, `discard` or `continue`. An error of the page itself may bring its own words.
 */
export function failureInWords(error, doing) {
  const denied = error.code === "AUTH_DENIED" ? DENIED[doing] : undefined;
  const others = doing === "continue" ? CONTINUED : ELSEWHERE;
  const elsewhere = doing === undefined ? undefined : others[error.code];
  const said = error.code === "JOB_FAILED" && error.message ? `The store says: “${error.message}” ` : "";
  const [title, advice] = denied ?? elsewhere ?? FAILURES[error.code ?? "INTERNAL"] ?? ["Something went wrong"];
  return {
    title: error.title ?? title,
    advice: said + (error.advice ?? advice ?? (error.hint || "Reload the page and try again.")),
  };
}

/** What to quote in a report, as pairs of name and value; what is unknown is left out. */
export function failureDetails(error) {
  return [
    ["Message", error.message],
    ["Hint", error.hint],
    ["Code", error.code],
    ["Part", error.partNumber],
    ["HTTP status", error.status],
    ["Service code", error.serviceCode],
    ["Request ID", error.requestId],
  ].filter(([, value]) => value !== undefined && value !== "");
}

// These may end well when the upload begins again from the first byte. UPLOAD_EXPIRED is not among them: where it is
// not retryable, the archive may exist already.
const MAY_START_OVER = new Set([
  "AUTH_DENIED", "AUTH_EXPIRED", "AUTH_MISSING", "CHECKSUM_MISMATCH_WHOLE", "CLOCK_SKEW", "INTERNAL",
  "INVALID_DESCRIPTION", "REFUSED", "SIGN_FAILED", "VAULT_NOT_FOUND", "WORKER_FAILED",
]);

/** Whether beginning again can help, where going on cannot. */
export const mayStartOver = (error) => MAY_START_OVER.has(error.code);
