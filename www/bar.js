// The progress bar of a file and of all files.

import { percentInWords, sizeInWords } from "./words.js";

/** Shows how much of `bytesTotal` is hashed, sent and confirmed. Confirmed is what is said aloud. */
export function showBar(element, { bytesHashed, bytesSent, bytesConfirmed, bytesTotal }) {
  const share = (bytes) => (bytesTotal > 0 ? Math.min(1, bytes / bytesTotal) : 0);
  // Through the style object: an attribute would be inline style, which the page's security policy forbids.
  element.style.setProperty("--hashed-share", share(bytesHashed));
  element.style.setProperty("--sent-share", share(bytesSent));
  element.style.setProperty("--confirmed-share", share(bytesConfirmed));
  const percent = percentInWords(share(bytesConfirmed));
  element.setAttribute("aria-valuenow", parseInt(percent, 10));
  const sizes = `${sizeInWords(bytesConfirmed)} of ${sizeInWords(bytesTotal)}`;
  element.setAttribute("aria-valuetext", `${percent} stored, ${sizes}`);
}
