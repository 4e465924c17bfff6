/**
 * Upload files of any size from a web page into cold storage, and get them back: hashed in web workers, sent as signed
 * parts in parallel, and reported done only after the store's SHA-256 tree hash equals the one computed here.
 *
 * All sizes are numbers of bytes, all hashes 64 lower-case hexadecimal digits, all durations milliseconds. Ranges are
 * half open, as in `Blob.slice`: `end` is the first byte that is not in them.
 */
export type * from "./gateway.js";
export * from "./error.js";
export * from "./hashing.js";
export * from "./uploads.js";
export * from "./vaults.js";
export * from "./buckets.js";
export type * from "./jobs.js";
export type * from "./downloads.js";
