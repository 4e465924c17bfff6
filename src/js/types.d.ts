/**
 * Upload files of any size from a web page into cold storage: hashed in web workers, sent as signed parts in
 * parallel, and reported done only after the store's SHA-256 tree hash equals the one computed here.
 *
 * All sizes are numbers of bytes, all hashes 64 lower-case hexadecimal digits, all times milliseconds.
 */

/** What is to be stored where. */
export interface Target {
  /** A vault the token allows: 1 to 255 of `A-Z a-z 0-9 _ . -`. */
  vault: string;
}

/** What the page intends, typed by operation. The gateway turns it into a {@link SignedRequest}. */
export type Intent =
  | { op: "InitiateMultipartUpload"; vault: string; partSize: number; size: number; description?: string }
  | { op: "UploadMultipartPart"; vault: string; uploadId: string; range: string; payloadHash: string; treeHash: string }
  | { op: "ListParts"; vault: string; uploadId: string; marker?: string }
  | { op: "CompleteMultipartUpload"; vault: string; uploadId: string; size: number; treeHash: string }
  | { op: "AbortMultipartUpload"; vault: string; uploadId: string }
  | { op: "ListMultipartUploads"; vault: string; marker?: string }
  | { op: "DeleteArchive"; vault: string; archiveId: string }
  | { op: "CreateVault" | "DescribeVault" | "DeleteVault"; vault: string }
  | { op: "ListVaults"; marker?: string }
  | { op: "InitiateJob"; vault: string; job: JobParameters }
  | { op: "DescribeJob"; vault: string; jobId: string }
  | { op: "ListJobs"; vault: string; statusCode?: "InProgress" | "Succeeded" | "Failed"; completed?: boolean; marker?: string }
  | { op: "GetJobOutput"; vault: string; jobId: string; range?: string };

/** What an InitiateJob asks for. */
export type JobParameters =
  | {
      type: "archive-retrieval"; archiveId: string; range?: string; tier?: "Expedited" | "Standard" | "Bulk";
      description?: string; snsTopic?: string;
    }
  | {
      type: "inventory-retrieval"; format?: "CSV" | "JSON"; startDate?: string; endDate?: string; limit?: number;
      marker?: string; description?: string; snsTopic?: string;
    };

/** A request that may be sent as it is, once, within its lifetime. */
export interface SignedRequest {
  method: "GET" | "PUT" | "POST" | "DELETE";
  /** Absolute, or relative to the sign endpoint (to the page where `sign` is a function). */
  url: string;
  headers: Record<string, string>;
  /** Text to send as the body, exactly as it is. */
  body?: string;
  /** For how long from now the signature is good. A duration, because the browser's clock is often wrong. */
  expiresInMs: number;
}

/** How failed requests are repeated. Every wait is random between 0 and the step ("full jitter"). */
export interface RetryOptions {
  /** Attempts without any progress before a request counts as failed. 1 to 100. @default 8 */
  maxAttempts?: number;
  /** First step of the back-off; it doubles with each attempt. 1 to 60,000. @default 250 */
  baseDelayMs?: number;
  /** Largest step. 1 to 300,000. @default 30000 */
  maxDelayMs?: number;
}

/** Options of {@link createUploader}. A misspelt key is an error that names it. */
export interface UploaderOptions {
  /** Base URL of the gateway; `/sign` is appended. Either this or `sign`. */
  endpoint?: string;
  /** Instead of `endpoint`: turns intents into signed requests, in the same order, all or none. */
  sign?: (intents: Intent[]) => Promise<SignedRequest[]>;
  target: Target;
  /** Headers for each call of the gateway, asked for afresh each time: the place for a bearer token. */
  getHeaders?: () => Record<string, string> | Promise<Record<string, string>>;
  /**
   * Bytes in every part but the last: a power of two from 1 MiB to 4 GiB, never overridden. `"auto"` takes the
   * smallest of at least 8 MiB that needs no more than 10,000 parts. @default "auto"
   */
  partSize?: number | "auto";
  /** Parts in flight at once, 1 to 16. `"auto"` is 4, fewer where the memory budget asks for it. @default "auto" */
  concurrency?: number | "auto";
  /** Bytes of file that may be held in memory. Parts that do not fit are read twice instead. @default 134217728 */
  memoryBudget?: number;
  /** Web workers that read and hash, 1 to 16. `"auto"` follows the processor. @default "auto" */
  workers?: number | "auto";
  retry?: RetryOptions;
  /** Where the `.wasm` file is served, if not beside the module. */
  wasmUrl?: string | URL;
  /** Makes a worker that runs `glacier-upload/worker.js`, for set-ups that move the file. */
  createWorker?: () => Worker;
}

/** Options of {@link Uploader.add}. */
export interface UploadOptions {
  /** Kept with the archive: up to 1,024 printable ASCII characters. */
  description?: string;
  /** Aborts the upload; the promise of {@link Upload.done} then rejects with `AbortError`. */
  signal?: AbortSignal;
}

/** How far an upload is. No count of bytes ever goes down. */
export interface Progress {
  bytesHashed: number;
  /** Handed to the network, not yet necessarily acknowledged. Moves within a part. */
  bytesSent: number;
  /** Acknowledged by the store with our hash. */
  bytesConfirmed: number;
  bytesTotal: number;
  /** Of the last seconds. 0 until known. */
  bytesPerSecond: number;
  /** Time left, or `null` until it can be said. */
  etaMs: number | null;
  parts: { total: number; hashed: number; inFlight: number; confirmed: number };
}

/**
 * `queued`: waits for other files. `hashing`: before the first byte is sent. `paused`: by `pause()`, or because the
 * browser is offline. `completing`: all parts are stored and the store checks the whole. `aborting`: the stored
 * parts are being removed. `failed`: see {@link UploadError.retryable}.
 */
export type UploadState =
  | "queued" | "hashing" | "uploading" | "paused" | "completing" | "done" | "failed" | "aborting" | "aborted";

/** A stored archive. The store's tree hash is equal to `treeHash`, which was computed here. */
export interface Archive {
  archiveId: string;
  treeHash: string;
  size: number;
}

/** Events of {@link Upload.on}. */
export interface UploadEvents {
  /** At most ten times a second. */
  progress: Progress;
  state: UploadState;
}

/** One file on its way. */
export interface Upload {
  readonly state: UploadState;
  readonly progress: Progress;
  /** The last error, while `state` is `failed`. */
  readonly error: UploadError | undefined;
  /** Calls `listener` on every event of that name. Returns a function that stops it. */
  on<K extends keyof UploadEvents>(event: K, listener: (detail: UploadEvents[K]) => void): () => void;
  /**
   * Settles once: with the archive, or with an {@link UploadError}, or with `AbortError`. After a retryable error
   * and `resume()`, call it again.
   */
  done(): Promise<Archive>;
  /** Stops sending. Parts that the store has acknowledged stay there. */
  pause(): void;
  /** Goes on after `pause()` or after a retryable error. Acknowledged parts are not sent again. */
  resume(): void;
  /** Gives up and removes the stored parts. Resolves when they are gone, or could not be reached. */
  abort(): Promise<void>;
}

/** Sends any number of files to one target, within one budget of workers, memory and requests. */
export interface Uploader {
  /**
   * Adds a file. Starts at once, or when the files before it leave room.
   * @throws {UploadError} for a file or option that can never work: empty, too large, a bad description.
   */
  add(file: Blob, options?: UploadOptions): Upload;
  /** Aborts what is running and stops the workers. */
  close(): Promise<void>;
}

/** Makes an uploader: loads the wasm module and checks the options. Nothing is sent. */
export function createUploader(options: UploaderOptions): Promise<Uploader>;

/** Options of {@link treeHash}. */
export interface TreeHashOptions {
  onProgress?: (progress: { bytesHashed: number; bytesTotal: number }) => void;
  signal?: AbortSignal;
  wasmUrl?: string | URL;
  createWorker?: () => Worker;
}

/** Amazon Glacier's SHA-256 tree hash of a file, computed in web workers without holding the file in memory. */
export function treeHash(blob: Blob, options?: TreeHashOptions): Promise<string>;

/** How a file of `size` bytes is cut. */
export interface PartPlan {
  /** Bytes in every part but the last. */
  partSize: number;
  /** 1 to 10,000. */
  parts: number;
  /** Bytes in the last part, 1 to `partSize`. */
  lastPartSize: number;
}

/**
 * Plans the parts of a file without touching it. With a `partSize` it is kept or refused; without, the smallest of at
 * least 8 MiB that fits.
 * @throws {UploadError} `FILE_EMPTY`, `FILE_TOO_LARGE`, `INVALID_PART_SIZE`, `TOO_MANY_PARTS`.
 */
export function planParts(size: number, partSize?: number): Promise<PartPlan>;

/** All codes of {@link UploadError}; `docs/errors.md` says of each what it means and what to do. */
export type UploadErrorCode =
  | "AUTH_DENIED" | "AUTH_EXPIRED" | "AUTH_MISSING" | "CHECKSUM_MISMATCH_PART"
  | "CHECKSUM_MISMATCH_RANGE" | "CHECKSUM_MISMATCH_WHOLE"
  | "CLOCK_SKEW" | "FILE_CHANGED" | "FILE_EMPTY" | "FILE_TOO_LARGE" | "FILE_UNREADABLE" | "INTERNAL"
  | "INVALID_DESCRIPTION" | "INVALID_OPTION" | "INVALID_PART_SIZE" | "INVALID_VAULT_NAME" | "IS_DIRECTORY"
  | "JOB_EXPIRED" | "JOB_NOT_READY" | "LIMIT_EXCEEDED" | "NETWORK" | "NOT_OUR_SERVER" | "RATE_LIMITED" | "REFUSED" | "SERVER" | "SIGN_FAILED"
  | "SINK_FAILED" | "STALLED" | "TOO_MANY_PARTS" | "UNSUPPORTED" | "UPLOAD_EXPIRED" | "VAULTS_CLOSED" | "VAULT_NOT_FOUND"
  | "WORKER_FAILED";

/** What every failure but a cancellation is thrown as. A cancellation is the standard `AbortError`. */
export class UploadError extends Error {
  readonly name: "UploadError";
  readonly code: UploadErrorCode;
  /** What to do, in a sentence for people. */
  readonly hint: string;
  /** Whether `resume()` (or trying again) may succeed without changing anything else. */
  readonly retryable: boolean;
  /** HTTP status, where an answer was the cause. */
  readonly status?: number;
  /** The store's or gateway's own code. */
  readonly serviceCode?: string;
  /** To quote to whoever runs the server. */
  readonly requestId?: string;
  /** Counted from 1. */
  readonly partNumber?: number;
}
