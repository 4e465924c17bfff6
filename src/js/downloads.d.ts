import type { UploadError } from "./error.js";
import type { ByteRange } from "./hashing.js";
import type { Job } from "./jobs.js";

/**
 * Where a download goes.
 *
 * - A `FileSystemFileHandle`, written in any order, and the only one that a download can be continued into after a reload. A
 *   file of the origin's private file system is written in place and locked meanwhile. A picked file gets a copy, which
 *   browsers put in its place when it is closed: at the end and at every pause.
 * - A `FileSystemWritableFileStream`: written in any order, and closed when all is verified. When it fails for good it is
 *   aborted, so that the file stays as it was.
 * - Any other `WritableStream`: written in order, closed when all is verified, aborted when it fails for good.
 *
 * A failure is for good unless it is retryable or `JOB_EXPIRED`: until then a stream stays open for `resume()`,
 * `continueWith()` or `abort()`.
 */
export type DownloadTarget = FileSystemFileHandle | FileSystemWritableFileStream | WritableStream<Uint8Array>;

/** Options of {@link Job.download}. A misspelt key is an error that names it. */
export interface DownloadOptions {
  /** Aborts the download; the promise of {@link Download.done} then rejects with `AbortError`. */
  signal?: AbortSignal;
  /** The same as listening to `progress`. */
  onProgress?: (progress: DownloadProgress) => void;
  /**
   * Which bytes of the object, or of what the job made; all unless given. Only they are fetched and written, and the result
   * is of them. What the store says of the whole says nothing of them, so that only `treeHash` makes them `"whole"`.
   */
  range?: ByteRange;
  /** Tree hash the bytes must have, where it is known from elsewhere. The only way to verify an unaligned range. */
  treeHash?: string;
  /**
   * Bytes in every request but the last: a power of two from 1 MiB to 1 GiB, at most the memory budget.
   * @default 8388608, or less where the budget is below 16 MiB
   */
  rangeSize?: number;
  /**
   * What {@link Download.checkpoint} gave on an earlier visit, of the same output into the same file. What the file has is
   * hashed again, and what is not as it was is fetched again.
   */
  from?: DownloadCheckpoint;
}

/** What a download has delivered. Plain data: keep it as JSON or in IndexedDB. */
export interface DownloadCheckpoint {
  version: 1;
  /** Bytes in the output. */
  size: number;
  /** First byte, byte after the last, and tree hash of each range. */
  delivered: [start: number, end: number, treeHash: string][];
  /** Of an object: which of all that have been under the same name. */
  etag?: string;
  /** Which bytes, where not all of them. */
  range?: [start: number, end: number];
}

/** How far a download is. No count of bytes ever goes down. */
export interface DownloadProgress {
  /** Arrived. Moves within a range. */
  bytesReceived: number;
  /** Verified as far as can be, and taken by the target. */
  bytesDelivered: number;
  bytesTotal: number;
  /** Of the last seconds. 0 until known. */
  bytesPerSecond: number;
  /** Time left, or `null` until it can be said. */
  etaMs: number | null;
}

/**
 * `checking`: hashing what an earlier visit left in the file. `paused`: by `pause()`, or because the browser is offline.
 * `failed`: see {@link UploadError.retryable}.
 */
export type DownloadState = "checking" | "downloading" | "paused" | "done" | "failed" | "aborted";

/** Events of {@link Download.on}. */
export interface DownloadEvents {
  /** At most ten times a second. */
  progress: DownloadProgress;
  state: DownloadState;
}

/** What a download ended with. */
export interface Downloaded {
  size: number;
  /** Of the bytes delivered, computed here. */
  treeHash: string;
  /**
   * `"whole"`: all bytes have the tree hash that the store, or the caller, says, or the SHA-256 that the store keeps of an
   * object. `"ranges"`: each range has the store's hash
   * of that range, and there is none of the whole. `"none"`: there was nothing to compare some bytes with.
   */
  verified: "whole" | "ranges" | "none";
  /** Why it is not `"whole"`, in a sentence. */
  why?: string;
  /** The bytes, where no target was given. */
  blob?: Blob;
}

/** The output of one job, or an object, on its way to one target. It starts by itself. */
export interface Download {
  readonly state: DownloadState;
  readonly progress: DownloadProgress;
  /** The last error, while `state` is `failed`. */
  readonly error: UploadError | undefined;
  /** What is delivered so far, to go on after a reload. */
  readonly checkpoint: DownloadCheckpoint;
  /** Calls `listener` on every event of that name. Returns a function that stops it. */
  on<K extends keyof DownloadEvents>(event: K, listener: (detail: DownloadEvents[K]) => void): () => void;
  /**
   * Settles once: with what came of it, or with an {@link UploadError}, or with `AbortError`. After a retryable error and
   * `resume()`, call it again.
   */
  done(): Promise<Downloaded>;
  /** Stops fetching. What is delivered stays; a file is written out, so that it can be continued. */
  pause(): void;
  /** Goes on after `pause()` or after a retryable error. */
  resume(): void;
  /**
   * Goes on with another job of the same archive and range, or of the same object, after `JOB_EXPIRED`.
   * @throws {UploadError} `INVALID_OPTION`.
   */
  continueWith(job: Job): void;
  /** Gives up. A stream is aborted; a file keeps what it has. */
  abort(): Promise<void>;
}
