// All files together: how far, how fast, how long.

import { showBar } from "./bar.js";
import { filesInWords, paceInWords, percentInWords, sizeInWords } from "./words.js";

const WINDOW_MS = 8000;
const FIRST_ESTIMATE_MS = 2000;

export class Total {
  #element;
  #samples = [];

  constructor(element) {
    this.#element = element;
  }

  /** Adds up the rows. */
  static of(rows) {
    const sum = {
      files: 0, done: 0, failed: 0, active: 0, paused: 0,
      bytesHashed: 0, bytesSent: 0, bytesConfirmed: 0, bytesTotal: 0,
    };
    for (const row of rows) {
      if (row.state === "aborted") continue;
      sum.files += 1;
      sum.failed += row.state === "failed" ? 1 : 0;
      if (row.state === "failed" && !row.resumable) continue; // its bytes are not waited for
      sum.done += row.state === "done" ? 1 : 0;
      sum.active += row.active ? 1 : 0;
      sum.paused += row.state === "paused" ? 1 : 0;
      const stored = row.state === "done";
      sum.bytesTotal += row.size;
      sum.bytesHashed += stored ? row.size : row.progress.bytesHashed;
      sum.bytesSent += stored ? row.size : row.progress.bytesSent;
      sum.bytesConfirmed += stored ? row.size : row.progress.bytesConfirmed;
    }
    return sum;
  }

  /** In one sentence. */
  static words(sum) {
    if (sum.files === 0) return "Nothing to upload";
    if (sum.done === sum.files) return `${sum.files === 1 ? "" : "All "}${filesInWords(sum.files)} stored and verified`;
    const failed = sum.failed === 0 ? "" : `, ${sum.failed} failed`;
    return `${sum.done} of ${filesInWords(sum.files)} stored${failed}`;
  }

  /** Shows the sums and returns them. */
  render(rows) {
    const sum = Total.of(rows);
    const share = sum.bytesTotal > 0 ? Math.min(1, sum.bytesConfirmed / sum.bytesTotal) : 0;
    const element = this.#element;
    element.hidden = rows.size === 0;
    element.dataset.progress = share;
    showBar(element.querySelector(".bar"), sum);
    element.querySelector(".total-count").textContent = Total.words(sum);
    element.querySelector(".total-pace").textContent = [
      `${percentInWords(share)} of ${sizeInWords(sum.bytesTotal)}`, this.#pace(sum),
    ].filter(Boolean).join(" · ");
    element.querySelector("#pause-all").hidden = sum.active - sum.paused < 2;
    element.querySelector("#resume-all").hidden = sum.paused < 2;
    element.querySelector("#clear-finished").hidden = rows.size < 2 || ![...rows].some((row) => row.clearable);
    return { sum, share };
  }

  // From the bytes sent by all files in the last seconds: one file's own speed says nothing about many small ones.
  #pace(sum) {
    if (sum.active - sum.paused === 0) {
      this.#samples = [];
      return "";
    }
    const now = performance.now();
    const last = this.#samples.at(-1);
    // Sums fall when a file is cancelled; what was measured before then no longer compares.
    if (last && sum.bytesSent < last.bytes) this.#samples = [];
    this.#samples.push({ now, bytes: sum.bytesSent });
    while (this.#samples[0].now < now - WINDOW_MS) this.#samples.shift();
    const first = this.#samples[0];
    const elapsed = now - first.now;
    if (elapsed < FIRST_ESTIMATE_MS) return "";
    const bytesPerSecond = (sum.bytesSent - first.bytes) * 1000 / elapsed;
    const etaMs = bytesPerSecond > 0 ? (sum.bytesTotal - sum.bytesConfirmed) * 1000 / bytesPerSecond : null;
    return paceInWords(bytesPerSecond, etaMs);
  }
}
