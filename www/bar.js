// Progress bars: of an upload, of all of them, and of a download.

import { percentInWords, sizeInWords } from "./words.js";

/** Shows how much of `bytesTotal` is hashed, sent and confirmed. Confirmed is what is said aloud. */
export function showBar(element, { bytesHashed, bytesSent, bytesConfirmed, bytesTotal }) {
  draw(element, [bytesHashed, bytesSent, bytesConfirmed], bytesTotal, "stored");
}

/** Shows how much of a download has arrived, and how much of that is checked and written. */
export function showDownloadBar(element, { bytesReceived, bytesDelivered, bytesTotal }) {
  draw(element, [0, bytesReceived, bytesDelivered], bytesTotal, "downloaded and checked");
}

function draw(element, [outer, middle, inner], bytesTotal, done) {
  const share = (bytes) => (bytesTotal > 0 ? Math.min(1, bytes / bytesTotal) : 0);
  // Through the style object: an attribute would be inline style, which the page's security policy forbids.
  element.style.setProperty("--hashed-share", share(outer));
  element.style.setProperty("--sent-share", share(middle));
  element.style.setProperty("--confirmed-share", share(inner));
  const percent = percentInWords(share(inner));
  element.setAttribute("aria-valuenow", parseInt(percent, 10));
  element.setAttribute("aria-valuetext", `${percent} ${done}, ${sizeInWords(inner)} of ${sizeInWords(bytesTotal)}`);
}
