import type { UploadError } from "./error.js";
import type { GatewayOptions } from "./gateway.js";

/** Archives of Glacier. */
export interface VaultTarget {
  /** A vault the token allows: 1 to 255 of `A-Z a-z 0-9 _ . -`. */
  vault: string;
}

/** Where S3 keeps an object. `GLACIER` and `DEEP_ARCHIVE` must be restored before they can be read. */
export type StorageClass =
  | "GLACIER" | "DEEP_ARCHIVE" | "GLACIER_IR" | "STANDARD" | "STANDARD_IA" | "ONEZONE_IA" | "INTELLIGENT_TIERING";

/**
 * Objects of S3. The bytes go straight from the browser to the bucket, whose CORS rules have to let the page in; where they
 * do not, nothing is sent and the error `CORS_NOT_ALLOWED` has the rules to paste.
 */
export type BucketTarget = {
  /** A bucket the token allows. */
  bucket: string;
  /** @default "GLACIER" */
  storageClass?: StorageClass;
  /** Kept with every object: names in lower case, values of printable ASCII, 1,968 bytes in all. */
  metadata?: Record<string, string>;
  /** Kept with every object: at most nine, because one more is the tree hash's. */
  tags?: Record<string, string>;
  /** Whether an object of the same key may be replaced. Otherwise that is the error `OBJECT_EXISTS`. @default false */
  overwrite?: boolean;
} & (
  | {
    /** The one object's key. {@link ObjectUploadOptions.key} names another. */
    key: string;
    prefix?: undefined;
  }
  | {
    /** What keys begin with; the file's name follows. `""` for the name alone. */
    prefix: string;
    key?: undefined;
  }
);

/** What is to be stored where. */
export type Target = VaultTarget | BucketTarget;

/** Options of {@link createUploader}. A misspelt key is an error that names it. */
export interface UploaderOptions<T extends Target = VaultTarget> extends GatewayOptions {
  target: T;
  /**
   * Bytes in every part but the last: a power of two from 1 MiB, or to a bucket from 8 MiB, to 4 GiB, never overridden.
   * `"auto"` takes the smallest of at least 8 MiB that needs no more than 10,000 parts. @default "auto"
   */
  partSize?: number | "auto";
}

/** Options of {@link Uploader.add}. */
export interface UploadOptions {
  /** Kept with the archive: up to 1,024 printable ASCII characters. */
  description?: string;
  /**
   * Whether to go on with an unfinished upload of the same file to the same vault, if an earlier visit left one: same
   * name, size, date and description. Each part that the store has is compared by its tree hash before it is skipped, so
   * that another file behind the same name costs time and never ends in a wrong archive. Its part size is kept. One that
   * is under way, in whichever tab, is left alone. `false` begins a new upload. @default true
   */
  resume?: boolean;
  /** Aborts the upload; the promise of {@link Upload.done} then rejects with `AbortError`. */
  signal?: AbortSignal;
}

/** Options of {@link Uploader.add} for a bucket. */
export interface ObjectUploadOptions extends Omit<UploadOptions, "description"> {
  /** The object's key, whatever the target says: 1 to 1,024 bytes of UTF-8. */
  key?: string;
  /** What it is, as in `video/mp4`. @default the file's own type */
  contentType?: string;
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

/** A stored object. S3's checksum is equal to `checksum`, which was computed here. */
export interface StoredObject {
  bucket: string;
  key: string;
  /** `null` in a bucket that keeps no versions, and where its CORS rules hide it. */
  versionId: string | null;
  /** S3's name of the bytes, which is no checksum. `null` where the bucket's CORS rules hide it. */
  etag: string | null;
  /** SHA-256 in base64: of all bytes, or of an object of parts over the checksums of its parts, with `-` and their number. */
  checksum: string;
  /** SHA-256 tree hash of all bytes, as Glacier computes it. */
  treeHash: string;
  /** Whether the object has it as metadata or as a tag, `sha256-tree-hash`. Not where the store knows no tags. */
  treeHashKept: boolean;
  size: number;
}

/** Events of {@link Upload.on}. */
export interface UploadEvents {
  /** At most ten times a second. */
  progress: Progress;
  state: UploadState;
}

/** One file on its way, and what it becomes. */
export interface Upload<S = Archive> {
  readonly state: UploadState;
  readonly progress: Progress;
  /** The last error, while `state` is `failed`. */
  readonly error: UploadError | undefined;
  /**
   * Whether a later visit could go on with it: its record is stored. `false` until the store has opened the upload, and
   * throughout for streams, for blobs that are no `File`, and where the browser stores nothing (private windows, no room).
   * The upload goes on all the same.
   */
  readonly resumable: boolean;
  /** Calls `listener` on every event of that name. Returns a function that stops it. */
  on<K extends keyof UploadEvents>(event: K, listener: (detail: UploadEvents[K]) => void): () => void;
  /**
   * Settles once: with the archive or the object, or with an {@link UploadError}, or with `AbortError`. After a retryable error
   * and `resume()`, call it again.
   */
  done(): Promise<S>;
  /** Stops sending. Parts that the store has acknowledged stay there. */
  pause(): void;
  /** Goes on after `pause()` or after a retryable error. Acknowledged parts are not sent again. */
  resume(): void;
  /**
   * Gives up and removes the stored parts. Resolves when they are gone, or could not be reached. An object of one part goes
   * in one request, and one that is on its way at this moment may still arrive.
   */
  abort(): Promise<void>;
}

/** Sends any number of files to one target, within one budget of workers, memory and requests. */
export interface Uploader<S = Archive, O = UploadOptions> {
  /**
   * Adds a file. Starts at once, or when the files before it leave room.
   * @throws {UploadError} for a file or option that can never work: empty, too large, a bad description or key.
   */
  add(file: Blob, options?: O): Upload<S>;
  /**
   * Uploads to this vault, through this gateway, that earlier visits left unfinished or that another tab is at, the one
   * begun first first. Read from this browser's own records, without asking the store; empty where there are none or none
   * can be kept. Records that nobody has written to for 30 days are removed.
   */
  unfinished(): Promise<UnfinishedUpload<S>[]>;
  /**
   * Opens an archive for data whose length nobody knows yet: a recording, a response, generated data. Write to it or
   * pipe into it; the archive exists when `close()` has resolved.
   *
   * Glacier fixes the part size when an upload begins, so it cannot grow with the data: `partSize` times 10,000 is all
   * that can be written. It is planned from `maxSize`, or is 16 MiB (156 GiB in all) where nothing is said. Nothing is
   * sent before a part is full or the stream is closed, and an empty stream leaves nothing in the store. The most that
   * it may become is what the gateway is asked to allow: set `maxSize` where a token allows less.
   *
   * Streams begin at once, whatever else is running, and keep no file waiting.
   * @throws {UploadError} for an option that can never work.
   */
  stream(options?: StreamOptions<O>): ArchiveWriter<S>;
  /** Aborts what is running and stops the workers. */
  close(): Promise<void>;
}

/**
 * An upload as it was recorded last. Kept in IndexedDB, for this origin: what is shown here, and hashes of the parts; no
 * byte of the file, no token, no signature.
 */
export interface UnfinishedUpload<S = Archive> {
  /** Of the file, without its folder. */
  readonly name: string;
  /** Of the file, in bytes. */
  readonly size: number;
  /** Of the file, as `File.lastModified`. */
  readonly lastModified: number;
  /** `undefined` where there is none. */
  readonly description: string | undefined;
  /** `undefined` of an object. */
  readonly vault: string | undefined;
  /** Of an object. */
  readonly bucket: string | undefined;
  /** Of an object. */
  readonly key: string | undefined;
  /**
   * The store's name of the upload, as in {@link IncompleteUpload.uploadId}. `undefined` of an object that was sent in one
   * request.
   */
  readonly uploadId: string | undefined;
  /** Acknowledged by the store so far. The record is a few seconds late, so it may have more. */
  readonly bytesConfirmed: number;
  /** By this computer's clock. */
  readonly begunAt: Date;
  /** When it was recorded last. A day after the last part the store drops an upload, and `resume` sends all of it again. */
  readonly savedAt: Date;
  /**
   * Whether a tab was at it when the list was made. Known by Web Locks, which need a secure context; without, uploads of
   * other tabs are not noticed: two tabs may then send the same parts twice over and get the same archive.
   */
  readonly inUse: boolean;
  /**
   * Goes on. What counts are the file's bytes: each part that the store has is compared by its tree hash and sent only
   * where it is missing. Of an upload that may have been completed the whole file is hashed, and completing is repeated,
   * which gives the archive that there is and never a second one. The name and date may have changed, by copying, say,
   * unless the store has nothing yet to compare with.
   *
   * Rejects with {@link UploadError}: `FILE_CHANGED` for another file, saying what differs; `UPLOAD_IN_USE`;
   * `UPLOAD_EXPIRED` where it was finished or discarded meanwhile. Where the bytes turn out to differ, the upload fails with
   * `FILE_CHANGED`. The record stays in either case.
   */
  resume(file: File, options?: { signal?: AbortSignal }): Promise<Upload<S>>;
  /**
   * Removes the stored parts and the record. Resolves when they are gone, or could not be reached, and then with nothing;
   * or with the archive, where the upload turns out to have been completed. Rejects with {@link UploadError}:
   * `UPLOAD_IN_USE`, `UPLOAD_EXPIRED`, and what keeps the store from saying whether the archive exists.
   */
  discard(): Promise<S | undefined>;
}

/** Makes an uploader: loads the wasm module and checks the options. Nothing is sent. */
export function createUploader(options: UploaderOptions): Promise<Uploader>;
export function createUploader(
  options: UploaderOptions<BucketTarget>,
): Promise<Uploader<StoredObject, ObjectUploadOptions>>;

/** Options of {@link Uploader.stream}. */
export type StreamOptions<O = UploadOptions> = Omit<O, "resume"> & {
  /** Most bytes that will be written; more are refused with `FILE_TOO_LARGE`. Plans the part size. */
  maxSize?: number;
  /** Bytes in every part but the last, instead of the uploader's or a planned one. A power of two from 1 MiB to 4 GiB. */
  partSize?: number;
};

/**
 * A stream into one archive or object. A write waits (`ready`, `desiredSize`) while as many parts as the memory budget allows, and at
 * least two, are on their way. Chunks are copied when the stream takes them. `close()` resolves when the store has
 * confirmed the tree hash of the whole; `abort()` removes what was stored, and so does a source that fails while it is
 * piped.
 *
 * While the upload is paused, and after a retryable error, what was written is kept: writes wait once the budget is full,
 * and `close()` waits, until `upload.resume()` or `abort()`. Any other error removes what was stored and errors the stream:
 * `closed`, `ready` and all writes reject with the {@link UploadError}: `FILE_EMPTY` for a stream closed without a
 * byte, `FILE_TOO_LARGE`, `INVALID_OPTION` for a chunk of another kind, `UPLOAD_EXPIRED` where the store dropped parts
 * whose bytes are gone here. The bytes of one part wait in the page's memory until it is full.
 */
export class ArchiveWriter<S = Archive> extends WritableStream<Uint8Array | ArrayBuffer | Blob> {
  private constructor();
  /** State, progress, pause, resume and the promise of the archive. `progress.bytesTotal` grows until the stream is closed. */
  readonly upload: Upload<S>;
  /** Bytes taken so far. */
  readonly bytesWritten: number;
  /** Tree hash of the whole parts hashed so far without a gap; `null` before the first, and of all bytes once closed. */
  readonly currentTreeHash: string | null;
}
