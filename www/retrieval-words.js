// What the page says about getting things back: tiers, ranges, jobs and what a check has shown.

import { sizeInWords } from "./words.js";

const LOCALE = "en";
const numbers = new Intl.NumberFormat(LOCALE);
const times = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short" });
const days = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium" });

/** `25000` as `25,000`. */
export const countInWords = (count) => numbers.format(count);

/** A date as `Nov 21, 2026, 5:20 AM`, in the time zone of this device. */
export const timeInWords = (date) => times.format(date);

/** The same without the time of day. */
export const dayInWords = (date) => days.format(date);

/** In the order in which they are offered: value, name, and what it means with Amazon. */
export const TIERS = [
  ["Standard", "Standard", "3 to 5 hours. For when you need it today."],
  ["Bulk", "Bulk", "5 to 12 hours. The cheapest, for when it can wait until tomorrow."],
  ["Expedited", "Expedited", "1 to 5 minutes, and the dearest. For archives of up to 250 MB; Amazon may refuse it when "
    + "many ask at once."],
];

const USUALLY = { Standard: "3 to 5 hours", Bulk: "5 to 12 hours", Expedited: "1 to 5 minutes" };

/** `{start, end}` of an archive as `from 8.4 MB to 16.8 MB`. */
export function rangeInWords({ start, end }) {
  return `from ${start === 0 ? "the beginning" : exactMegabytes(start)} to ${exactMegabytes(end)}`;
}

/** `8388608` as `8.389 MB`: finer than sizes are, so that two ends that differ never read the same. */
function exactMegabytes(bytes) {
  const style = { style: "unit", unit: "megabyte", maximumFractionDigits: 3 };
  return new Intl.NumberFormat(LOCALE, style).format(bytes / 1e6);
}

/** What becomes of the range that was asked for, once it is widened to what can be verified. */
export function alignedInWords(asked, aligned, size) {
  const bytes = aligned.end - aligned.start;
  const exact = asked.start === aligned.start && asked.end === aligned.end;
  if (bytes === size) return "Checksums exist for certain pieces only, and the smallest that covers this is the whole archive.";
  if (exact) return `You will get ${sizeInWords(bytes)}, ${rangeInWords(aligned)}.`;
  return `You will get ${sizeInWords(bytes)}, ${rangeInWords(aligned)}: checksums exist for certain pieces only, and `
    + "this is the smallest one that covers what you want.";
}

/** When a job was asked for, and what is known of its end. */
export function jobInWords(job) {
  const words = [`Asked for on ${timeInWords(job.createdAt)}`];
  if (job.tier !== null) words.push(job.tier);
  if (job.completedAt !== null) words.push(`${job.status === "Failed" ? "ended" : "ready since"} ${timeInWords(job.completedAt)}`);
  return words.join(" · ");
}

/** How long to wait, and that nobody has to sit there. */
export function waitingInWords(job) {
  const usually = USUALLY[job.tier] ?? "3 to 5 hours";
  return `Amazon takes ${usually}, the store on this computer about a second. You may close this page and come back.`;
}

const STATES = {
  waiting: "The store is fetching it",
  ready: "Ready to download",
  failed: "Nothing came of it",
  starting: "Starting",
  checking: "Checking what is there already",
  downloading: "Downloading and checking",
  paused: "Paused",
  interrupted: "Begun on an earlier visit",
  stopped: "The download stopped",
  done: "Downloaded",
};

const INVENTORY_STATES = {
  waiting: "The store is making the list",
  ready: "Ready to be shown",
  reading: "Reading the list",
  stopped: "The list could not be read",
  done: "Shown below",
};

/** The state of a job's row. */
export function rowStateInWords(state, { isInventory, online }) {
  if (state === "paused" && !online) return "Paused: this device is offline";
  return (isInventory ? INVENTORY_STATES[state] : undefined) ?? STATES[state];
}

/** Title and explanation of a finished download's verdict, and whether it is good news. */
export function verdictInWords({ verified, why }, { knownHere, isPart }) {
  switch (verified) {
    case "whole":
      if (knownHere) {
        return ["Verified", "Every byte is as it was when this browser uploaded it: the checksum it computed then equals that of the download."];
      }
      return ["Verified", isPart
        ? "The checksum of this part, computed in this browser, equals the store’s."
        : "The checksum of the whole archive, computed in this browser, equals the store’s."];
    case "ranges":
      return ["Verified in pieces", `Each piece has the checksum that the store gave for it, but there is none for all of it together. ${why ?? ""}`];
    default:
      return ["Not verified", `The bytes arrived, but the store gave nothing to compare some of them with. ${why ?? ""}`];
  }
}

/** What the list below is made of. */
export function knownInWords({ takenAt, uninventoried, total }, forgetful) {
  if (total === 0 && takenAt === null) return "";
  const words = [takenAt === null
    ? "No inventory has been read in this browser yet, so this is only what this browser uploaded itself."
    : `From the inventory that was ready on ${timeInWords(takenAt)}.`];
  if (takenAt !== null && uninventoried > 0) {
    const uploads = uninventoried === 1 ? "One upload of this browser is" : `${countInWords(uninventoried)} uploads of this browser are`;
    words.push(`${uploads} not in it yet; what other devices stored later is not here.`);
  }
  if (forgetful) words.push("This browser cannot keep the list: it is gone when you close the page.");
  return words.join(" ");
}
